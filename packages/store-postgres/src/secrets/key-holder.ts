import { createSecretKey, type KeyObject } from 'node:crypto';
import { type CallOptions, isObject, mcpError, messageOf, type OptionChecks } from '@mcpinfra/core/plugin';
import { keyBytes, seal, unseal } from './aes-gcm.js';
import type { SecretKeyRing, SecretKeys, SecretKeyService } from './secret-keys.js';

/** Wraps data keys under keys that have ids. Who calls does not rely on a service to heed the signal. */
export interface KeyHolder {
  /** The id of the key that wraps from now on. */
  readonly current: string;
  /** Whether there is a key of that id, as far as can be told without trying. */
  has(keyId: string): boolean;
  /** Wraps a data key under the current key. */
  wrap(dataKey: Uint8Array, options?: CallOptions): Promise<Uint8Array>;
  /** Gives a data key back, or `undefined` where it is none that this key wrapped. */
  unwrap(keyId: string, wrapped: Uint8Array, options?: CallOptions): Promise<KeyObject | undefined>;
}

const longestId = 512;

/** Checks the keys of a host. @throws `INVALID_OPTIONS`, which never shows a byte of a key */
export function keyHolder(given: SecretKeys, check: OptionChecks): KeyHolder {
  // Hosts in plain JavaScript have no compiler to tell them.
  const keys: unknown = given;
  if (!isObject(keys) || ('keys' in keys && !isObject(keys['keys']))) {
    throw check.wrong(
      'expected keys to be { current, keys: { <id>: Uint8Array } } or { current, encrypt, decrypt }',
    );
  }
  check.known(keys, 'keys' in keys ? ['current', 'keys'] : ['current', 'encrypt', 'decrypt'], 'keys');
  checkId(given.current, check);
  return 'keys' in given ? ringHolder(given, check) : serviceHolder(given, check);
}

function ringHolder({ current, keys }: SecretKeyRing, check: OptionChecks): KeyHolder {
  const ring = new Map<string, KeyObject>();
  for (const [id, bytes] of Object.entries(keys)) {
    checkId(id, check);
    if (!(bytes instanceof Uint8Array) || bytes.length !== keyBytes) {
      const came = bytes instanceof Uint8Array ? `${bytes.length} bytes` : typeof bytes;
      throw check.wrong(
        `expected the key ${JSON.stringify(id)} to be a Uint8Array of 32 random bytes, got ${came}`,
      );
    }
    ring.set(id, createSecretKey(bytes));
  }
  const wrapping = ring.get(current);
  if (wrapping === undefined) {
    throw check.wrong(`keys has no key of the id that is current, ${JSON.stringify(current)}`);
  }
  return {
    current,
    has: (keyId) => ring.has(keyId),
    wrap: async (dataKey) => seal(wrapping, dataKey, boundTo(current)),
    unwrap: async (keyId, wrapped) => {
      const key = ring.get(keyId);
      return key && asDataKey(unseal(key, wrapped, boundTo(keyId)));
    },
  };
}

function serviceHolder({ current, encrypt, decrypt }: SecretKeyService, check: OptionChecks): KeyHolder {
  for (const [name, value] of Object.entries({ encrypt, decrypt })) {
    if (typeof value !== 'function') throw check.unexpected(`keys.${name}`, 'a function', value);
  }
  return {
    current,
    has: () => true,
    wrap: (dataKey, { signal } = {}) =>
      answerOf('encrypt', current, () => encrypt(dataKey, { keyId: current, signal })),
    unwrap: async (keyId, wrapped, { signal } = {}) =>
      asDataKey(await answerOf('decrypt', keyId, () => decrypt(wrapped, { keyId, signal }))),
  };
}

async function answerOf(
  method: string,
  keyId: string,
  ask: () => Promise<Uint8Array | undefined>,
): Promise<Uint8Array> {
  const failed = (why: string): never => {
    // Without the cause: errors of HTTP clients hold what was sent, here a data key.
    throw mcpError('SECRET_BACKEND_FAILED', `keys.${method}() failed for the key "${keyId}": ${why}`, {
      details: { keyId },
    });
  };
  const answer = await Promise.resolve()
    .then(ask)
    .catch((error: unknown) => failed(messageOf(error)));
  return answer instanceof Uint8Array ? answer : failed('it gave no Uint8Array.');
}

function asDataKey(bytes: Uint8Array | undefined): KeyObject | undefined {
  return bytes?.length === keyBytes ? createSecretKey(bytes) : undefined;
}

function boundTo(keyId: string): string {
  return JSON.stringify(['mcpinfra/data-key', 1, keyId]);
}

function checkId(id: unknown, check: OptionChecks): void {
  if (typeof id === 'string' && id !== '' && id.length <= longestId && !id.includes('\0')) return;
  throw check.wrong(`expected the id of a key to be a text of 1 to ${longestId} characters`);
}
