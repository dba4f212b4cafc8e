import { randomBytes } from 'node:crypto';
import { MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { secretKeyOf, type SecretPlace } from '../../domain/secrets/secret-keys.js';
import {
  formatSecretReference,
  secretId,
  type SecretReference,
} from '../../domain/secrets/secret-reference.js';
import { secretScopeOf } from '../../domain/secrets/secret-scopes.js';
import { Secret } from '../../domain/secrets/secret.js';
import type { CallOptions } from '../../ports/common.js';
import type { SecretStore } from '../../ports/secret-resolver.js';
import type { ServiceContext } from '../context/service-context.js';
import { versionKeptAt, versionsIn } from './own-versions.js';
import { valueMarkLength } from './secret-fingerprints.js';
import type { SecretSource } from './secret-source.js';
import { newMark, putMark, removeVersions, writerHasMs, type WriteMark } from './write-marks.js';

/** After this long a mark is made anew before the row is written. */
const freshMs = 5_000;

/** What the values of commands are written with. */
export interface WriteParts {
  readonly context: ServiceContext;
  readonly secrets: SecretSource;
}

/** The document before, and whose it is. */
interface Before {
  readonly owner: { readonly id: string; readonly tenant: string };
  /** `null` where there is none yet. */
  readonly jsonSpec: JsonSpec | null;
}

interface Version {
  readonly reference: SecretReference;
  readonly value: Secret;
}

/**
 * The values that one command takes out of a document, kept under keys of their own: written before the row that names
 * them, removed after it.
 *
 * A mark in the secret store says what is under way, from before the first value until all of it is settled. What a
 * crash leaves, and what the row no longer needs, the sweep of the workers removes by it.
 */
export class SecretWrites {
  readonly #context: ServiceContext;
  readonly #source: SecretSource;
  /** By place and value: a command that has to look again writes none twice. */
  readonly #fresh = new Map<string, Version>();
  readonly #written = new Set<string>();
  #before: Before | undefined;
  #markOf: (place: SecretPlace, value: string) => string = () => '';
  /** What the document before names for the same value. */
  #kept: Version[] = [];
  #mark: WriteMark | undefined;

  constructor({ context, secrets }: WriteParts) {
    this.#context = context;
    this.#source = secrets;
  }

  /**
   * Begins with a document; again, where it has changed meanwhile.
   *
   * @param places - where it will have values in clear
   */
  async begin(before: Before, places: readonly SecretPlace[]): Promise<void> {
    this.#before = before;
    this.#kept = [];
    if (places.length === 0 || this.#context.secretStore === null) return;
    const kept = places.map((place) => versionKeptAt(before.owner.id, before.jsonSpec, place));
    const versions = kept.flatMap((one) => (one ? [one.version] : []));
    this.#markOf = await this.#source.marks(before.owner.id, versions);
  }

  /** The reference for a value at a place: the one there, if it is of the same value. Nothing is written yet. */
  refer(place: SecretPlace, value: string): string {
    const { owner, jsonSpec } = this.#begun();
    const mark = this.#markOf(place, value);
    const kept = versionKeptAt(owner.id, jsonSpec, place);
    if (kept?.version.slice(0, valueMarkLength) === mark && mark !== '') {
      this.#kept.push({ reference: kept.reference, value: new Secret(value) });
      return kept.text;
    }
    const known = JSON.stringify([place.part, place.name, value]);
    const version = this.#fresh.get(known) ?? {
      reference: {
        scope: secretScopeOf(owner.id),
        key: secretKeyOf(place, mark + randomBytes(6).toString('base64url')),
      },
      value: new Secret(value),
    };
    this.#fresh.set(known, version);
    return formatSecretReference(version.reference);
  }

  /** Versions that a document names though neither this command nor the document before has them. */
  strangersIn(after: JsonSpec): readonly string[] {
    const { owner, jsonSpec } = this.#begun();
    const before = versionsIn(owner.id, jsonSpec);
    const fresh = new Set([...this.#fresh.values()].map(({ reference }) => reference.key));
    return [...versionsIn(owner.id, after)].filter((key) => !before.has(key) && !fresh.has(key));
  }

  /**
   * Writes the values a document names, so that its row can be written now.
   *
   * @throws `SECRET_BACKEND_FAILED`, also when that took so long that they may have been swept away
   */
  async prepare(after: JsonSpec, options: CallOptions): Promise<void> {
    const { owner, jsonSpec } = this.#begun();
    const store = this.#context.secretStore;
    if (!store) return;
    const named = versionsIn(owner.id, after);
    const fresh = [...this.#fresh.values()].filter(
      ({ reference: { key } }) => named.has(key) && !this.#written.has(key),
    );
    const missing = [...fresh, ...(await this.#lost(store, options))];
    const superseded = [...versionsIn(owner.id, jsonSpec)].filter((key) => !named.has(key));
    const keys = [...this.#written, ...missing.map(({ reference }) => reference.key), ...superseded];
    if (keys.length === 0) return;
    for (const { reference } of fresh) this.#written.add(reference.key);
    await this.#say(store, keys, options);
    const context = { instanceId: owner.id, tenant: owner.tenant, principal: null };
    const puts = missing.map(({ reference, value }) => store.put(reference, value, { ...options, context }));
    const failed = (await Promise.allSettled(puts)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    if (this.#ageMs() > freshMs) await this.#say(store, keys, options);
  }

  /** The row was written, or is so already. Never rejects. */
  async settle(row: InstanceRecord): Promise<void> {
    const wished = versionsIn(row.id, row.jsonSpec);
    // What an update has replaced goes once it cannot come back; the sweep looks.
    if (this.#mark?.keys.every((key) => wished.has(key)) === true) await this.#unmark([]);
  }

  /** The row was not written, as far as the error tells. Never rejects. */
  async giveUp(error: unknown): Promise<void> {
    if (isRefusal(error)) await this.#unmark(this.#written);
  }

  /** The values that are to be there already, but are not. */
  async #lost(store: SecretStore, options: CallOptions): Promise<readonly Version[]> {
    if (this.#kept.length === 0) return [];
    const { owner } = this.#begun();
    const asker = { instanceId: owner.id, tenant: owner.tenant, principal: null };
    const references = this.#kept.map(({ reference }) => reference);
    const found = await store.resolve(references, asker, options);
    return this.#kept.filter(({ reference }) => !found.has(secretId(reference)));
  }

  async #say(store: SecretStore, keys: readonly string[], options: CallOptions): Promise<void> {
    // Who cannot list them cannot sweep by them.
    if (!store.list) return;
    if (this.#ageMs() > writerHasMs - freshMs) {
      const message = 'Writing secrets took too long, so they may have been removed again.';
      throw mcpError('SECRET_BACKEND_FAILED', message);
    }
    const mark = this.#mark ?? newMark(this.#context, this.#begun().owner);
    const isSaid = this.#mark && keys.every((key) => this.#mark?.keys.includes(key));
    if (isSaid === true && this.#ageMs() <= freshMs) return;
    // Before it is known to be written: it may be all the same.
    this.#mark = { ...mark, keys, atMs: this.#context.clock.now() };
    this.#mark = await putMark(this.#context, store, { mark, keys, signal: options.signal });
  }

  async #unmark(keys: Iterable<string>): Promise<void> {
    const { secretStore: store, logger } = this.#context;
    const { owner } = this.#before ?? {};
    if (!store || !owner || (!this.#mark && this.#written.size === 0)) return;
    try {
      await removeVersions(store, { instanceId: owner.id, tenant: owner.tenant }, keys);
      if (this.#mark) await store.delete(this.#mark.reference);
    } catch (error) {
      logger.debug('secrets are left to be swept', { instance: owner.id, error: messageOf(error) });
    }
  }

  #ageMs(): number {
    return this.#mark ? this.#context.clock.now() - this.#mark.atMs : 0;
  }

  #begun(): Before {
    if (this.#before) return this.#before;
    throw mcpError('INTERNAL', 'Secrets are written for no instance.');
  }
}

/** Runs a command that may write secrets, and settles them by how it ends. */
export async function keepingSecrets(
  parts: WriteParts,
  work: (writes: SecretWrites) => Promise<InstanceRecord>,
): Promise<InstanceRecord> {
  const writes = new SecretWrites(parts);
  try {
    const row = await work(writes);
    await writes.settle(row);
    return row;
  } catch (error) {
    await writes.giveUp(error);
    throw error;
  }
}

/** Whether an error says that nothing was written, not only that the outcome is unknown. */
function isRefusal(error: unknown): boolean {
  return MCPInfraError.isInstance(error) && error.category === 'config' && error.code !== 'ABORTED';
}
