import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';

const algorithm = 'aes-256-gcm';
// The sizes that NIST SP 800-38D recommends.
const nonceBytes = 12;
const authTagLength = 16;

/** How many bytes a key has. */
export const keyBytes = 32;

/**
 * Encrypts under AES-256-GCM: a random nonce, what was encrypted, and its tag.
 *
 * @param associated - what is to be given again for decrypting; it is not kept
 */
export function seal(key: KeyObject, plain: Uint8Array, associated: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength });
  cipher.setAAD(Buffer.from(associated));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Decrypts what {@link seal} gave, or returns `undefined` where key, associated text or a single bit is another. */
export function unseal(key: KeyObject, sealed: Uint8Array, associated: string): Buffer | undefined {
  if (sealed.length < nonceBytes + authTagLength) return undefined;
  const tagAt = sealed.length - authTagLength;
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, nonceBytes), { authTagLength });
  decipher.setAAD(Buffer.from(associated));
  decipher.setAuthTag(sealed.subarray(tagAt));
  const plain = decipher.update(sealed.subarray(nonceBytes, tagAt));
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch {
    return undefined;
  }
}
