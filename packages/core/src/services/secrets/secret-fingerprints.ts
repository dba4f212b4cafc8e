import { createHmac, randomBytes } from 'node:crypto';
import { Once } from '../../async/once.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import { secretId } from '../../domain/secrets/secret-reference.js';
import type { SecretPlace } from '../../domain/secrets/secret-keys.js';
import { Secret } from '../../domain/secrets/secret.js';
import { fingerprintKey } from './fingerprint-key.js';
import type { ServiceContext } from '../context/service-context.js';

/** Digests of secret values, by a key that is not in the store: who reads the rows cannot try out guesses. */
export class SecretFingerprints {
  readonly #context: Pick<ServiceContext, 'secretStore' | 'settings' | 'identity'>;
  readonly #key = new Once(() => this.#read());

  constructor(context: Pick<ServiceContext, 'secretStore' | 'settings' | 'identity'>) {
    this.#context = context;
  }

  /**
   * The fingerprint of the values of one instance; equal values of two instances have different ones.
   *
   * @param against - what it is going to be compared with
   * @throws `SECRET_STORE_REQUIRED` without a key; `SECRET_BACKEND_FAILED`
   */
  async of(instanceId: string, values: ReadonlyMap<string, Secret>, against: string | null): Promise<string> {
    let key = await this.#load();
    // Where two processes made a key at the same time, one of them has to take the other's.
    if (against !== null && !isOfSameKey(against, markOf(key))) {
      this.#key.forget();
      key = await this.#load();
    }
    const texts = [...values].map(([id, value]) => [id, value.reveal()] as const);
    texts.sort(([a], [b]) => (a < b ? -1 : 1));
    const { storeId } = this.#context.identity();
    return markOf(key) + digest(key, JSON.stringify([storeId, instanceId, texts]));
  }

  /**
   * What tells the values of one instance apart in the keys of their versions: equal values at one place have an equal
   * text, of {@link valueMarkLength} characters.
   *
   * @param against - such texts that they are going to be compared with
   * @throws as `of`
   */
  async marks(
    instanceId: string,
    against: readonly string[],
  ): Promise<(place: SecretPlace, value: string) => string> {
    let key = await this.#load();
    const isOther = (text: string): boolean => !text.startsWith(markOf(key).slice(0, keyMarkLength));
    if (against.some(isOther)) {
      this.#key.forget();
      key = await this.#load();
    }
    const { storeId } = this.#context.identity();
    return ({ part, name }, value) => {
      const text = digest(key, JSON.stringify([storeId, instanceId, part, name, value]));
      return (markOf(key).slice(0, keyMarkLength) + text).slice(0, valueMarkLength);
    };
  }

  async #load(): Promise<string> {
    const given = this.#context.settings.fingerprintKey;
    if (given !== null) return given;
    return this.#key.get();
  }

  async #read(): Promise<string> {
    const store = this.#context.secretStore;
    if (!store) {
      const message =
        'Rotated secrets cannot be noticed: there is no secret store that keeps a key for their fingerprints. Give one, or the option rotation.key.';
      throw mcpError('SECRET_STORE_REQUIRED', message);
    }
    const nobody = { instanceId: '', tenant: '', principal: null };
    const find = async (): Promise<Secret | undefined> =>
      (await store.resolve([fingerprintKey], nobody)).get(secretId(fingerprintKey));
    const known = await find();
    if (known) return known.reveal();
    const made = new Secret(randomBytes(32).toString('base64'));
    await store.put(fingerprintKey, made);
    return ((await find()) ?? made).reveal();
  }
}

/** Whether two fingerprints were made by one key, so that they differ only if the values do. */
export function isOfSameKey(a: string, b: string): boolean {
  return a.slice(0, markLength) === b.slice(0, markLength);
}

const markLength = 12;
const keyMarkLength = 4;

/** How many characters of a version tell its value; 16 of them by a digest of 96 bits. */
export const valueMarkLength = 20;

function markOf(key: string): string {
  return digest(key, 'mark').slice(0, markLength);
}

function digest(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}
