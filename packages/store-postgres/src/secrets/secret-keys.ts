import type { CallOptions } from '@mcpinfra/core/plugin';

/** The keys under which secrets are sealed: those of the host, or those of a service that never gives them away. */
export type SecretKeys = SecretKeyRing | SecretKeyService;

/** Keys that the host has. */
export interface SecretKeyRing {
  /** The id of the key under which values are written from now on. It is kept with each value. */
  readonly current: string;
  /** Keys of 32 random bytes by their ids: the current one, and those under which values may still be. */
  readonly keys: Readonly<Record<string, Uint8Array>>;
}

/** Keys of a key management service, which encrypts and decrypts the data key of each value. */
export interface SecretKeyService {
  /** The id of the key under which values are written from now on. It is kept with each value. */
  readonly current: string;
  /** Encrypts a data key of 32 bytes under the key of that id. `undefined`, as the types of SDKs allow, is a failure. */
  readonly encrypt: (dataKey: Uint8Array, options: SecretKeyCall) => Promise<Uint8Array | undefined>;
  /** Gives the data key that `encrypt` was given, byte for byte. `undefined` is a failure. */
  readonly decrypt: (encrypted: Uint8Array, options: SecretKeyCall) => Promise<Uint8Array | undefined>;
}

/** What a {@link SecretKeyService} is told with each call. */
export interface SecretKeyCall extends CallOptions {
  /** The id of the key: the current one, or for decrypting an earlier one. */
  readonly keyId: string;
}
