import { createSecretKey, randomBytes } from 'node:crypto';
import { type CallOptions, mcpError, Secret } from '@mcpinfra/core/plugin';
import { keyBytes, seal, unseal } from './aes-gcm.js';
import type { KeyHolder } from './key-holder.js';

/** A value as a row keeps it; bytes are Base64. */
export interface SealedSecret {
  readonly keyId: string;
  /** The data key, wrapped under the key of that id. */
  readonly dataKey: string;
  /** The value, sealed under the data key and bound to its name. */
  readonly body: string;
}

/** Seals values under a data key of their own, which is wrapped under a key of the host. */
export class Envelope {
  readonly #keys: KeyHolder;
  readonly #storeId: string;

  constructor(keys: KeyHolder, storeId: string) {
    this.#keys = keys;
    this.#storeId = storeId;
  }

  /** @param name - the parts of what the value is called: under another name it cannot be opened */
  async seal(name: readonly string[], value: Secret, options?: CallOptions): Promise<SealedSecret> {
    const plain = Buffer.from(value.reveal());
    if (plain.toString() !== value.reveal()) {
      throw mcpError(
        'INVALID_ARGUMENT',
        'A secret is Unicode text; this one holds half of a surrogate pair.',
      );
    }
    const dataKey = randomBytes(keyBytes);
    // Before the data key is lent to a callback, which may do with it as it likes.
    const body = seal(createSecretKey(dataKey), plain, this.#boundTo(name));
    const wrapped = await this.#keys.wrap(dataKey, options);
    return { keyId: this.#keys.current, dataKey: base64(wrapped), body: base64(body) };
  }

  /**
   * Gives the value, or `undefined` for one that was sealed under another key or name, or was changed.
   *
   * @throws `SECRET_BACKEND_FAILED` when there is no such key, or its service failed
   */
  async open(
    name: readonly string[],
    { keyId, dataKey, body }: SealedSecret,
    options?: CallOptions,
  ): Promise<Secret | undefined> {
    if (!this.#keys.has(keyId)) {
      throw mcpError(
        'SECRET_BACKEND_FAILED',
        `A secret is sealed under the key "${keyId}", which this process does not have: give it in the option keys.`,
        { details: { keyId } },
      );
    }
    const key = await this.#keys.unwrap(keyId, Buffer.from(dataKey, 'base64'), options);
    const value = key && unseal(key, Buffer.from(body, 'base64'), this.#boundTo(name));
    return value && new Secret(value.toString());
  }

  #boundTo(name: readonly string[]): string {
    return JSON.stringify(['mcpinfra/secret', 1, this.#storeId, ...name]);
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
