import { setMaxListeners } from 'node:events';
import {
  type CallOptions,
  type Clock,
  mcpError,
  type Secret,
  type SecretContext,
  secretId,
  type SecretReference,
  type SecretStore,
  type SecretWriteOptions,
  systemClock,
} from '@mcpinfra/core/plugin';
import { type Bounds, withinBounds } from './api/bounds.js';
import { failure } from './api/failure.js';
import { InfisicalApi } from './api/infisical-api.js';
import { FolderReads } from './folder-reads.js';
import { FolderWrites } from './folder-writes.js';
import type { ResolvedOptions } from './infisical-secrets-options.js';
import { type Folder, folderKey, isReference, Locations } from './mapping/locations.js';
import { type FolderSecrets, readFolder } from './read-folder.js';

/** A secret store over the REST routes of Infisical. */
export class InfisicalStore implements SecretStore {
  readonly specificationVersion = 'v1';
  readonly name = 'infisical';
  readonly durable = true;
  /** Absent where names do not tell keys. */
  readonly list?: NonNullable<SecretStore['list']>;
  readonly #options: ResolvedOptions;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #locations: Locations;
  readonly #api: InfisicalApi;
  readonly #reads: FolderReads;
  readonly #writes: FolderWrites;

  constructor(options: ResolvedOptions, clock: Clock = systemClock) {
    // Every call under way heeds it.
    setMaxListeners(0, this.#closing.signal);
    this.#options = options;
    this.#clock = clock;
    this.#locations = new Locations(options);
    this.#api = new InfisicalApi(options, clock, this.#closing.signal);
    this.#writes = new FolderWrites(this.#api);
    if (!options.secretName) this.list = (scope, o) => this.#list(scope, o);
    const { cacheTtlMs: ttlMs, cacheMaxFolders: maxFolders } = options;
    this.#reads = new FolderReads({ ttlMs, maxFolders, clock });
  }

  async resolve(
    references: readonly SecretReference[],
    context: SecretContext,
    options?: CallOptions,
  ): Promise<ReadonlyMap<string, Secret>> {
    return this.#call(options, async (bounds) => {
      const asked = references.filter(isReference);
      const scopes = [...new Set(asked.map(({ scope }) => scope))];
      const folders = new Map(
        await Promise.all(
          scopes.map(async (scope) => [scope, await this.#secretsOf(scope, context, bounds)] as const),
        ),
      );
      const found = new Map<string, Secret>();
      for (const reference of asked) {
        const secret = folders.get(reference.scope)?.get(this.#locations.nameOf(reference));
        if (secret === 'hidden') throw hidden(reference);
        if (secret) found.set(secretId(reference), secret);
      }
      return found;
    });
  }

  async put(reference: SecretReference, value: Secret, options?: SecretWriteOptions): Promise<void> {
    await this.#write(reference, options, (folder, bounds) =>
      this.#writes.put(folder, { name: this.#locations.nameOf(reference), value }, bounds),
    );
  }

  async delete(reference: SecretReference, options?: SecretWriteOptions): Promise<void> {
    await this.#write(reference, options, (folder, bounds) =>
      this.#writes.remove(folder, this.#locations.nameOf(reference), bounds),
    );
  }

  async deleteScope(scope: string, options?: SecretWriteOptions): Promise<void> {
    await this.#call(options, async (bounds) => {
      const folder = this.#locations.folderOf(scope, options?.context);
      // Into others nothing was ever written.
      if (folder?.isOwn !== true) return;
      await this.#writes.clear(folder, bounds).finally(() => this.#reads.forget(folderKey(folder)));
    });
  }

  async close(): Promise<void> {
    this.#closing.abort(failure('closed', 'infisicalSecrets was closed: make another to go on.'));
    this.#reads.clear();
    await this.#api.close();
  }

  async #list(scope: string, options?: SecretWriteOptions): Promise<readonly SecretReference[]> {
    return this.#call(options, async (bounds) => {
      const secrets = await this.#secretsOf(scope, options?.context, bounds);
      return [...(secrets?.keys() ?? [])].flatMap((name) => this.#locations.referenceTo(scope, name) ?? []);
    });
  }

  async #secretsOf(
    scope: string,
    context: SecretContext | undefined,
    { signal }: Bounds,
  ): Promise<FolderSecrets | undefined> {
    const folder = this.#locations.folderOf(scope, context);
    return (
      folder &&
      this.#reads.get(folderKey(folder), signal, (shared) =>
        // Others may wait for it who came later, so it has a time of its own.
        this.#call({ signal: shared }, (bounds) => readFolder(this.#api, folder, bounds)),
      )
    );
  }

  async #write(
    reference: SecretReference,
    options: SecretWriteOptions | undefined,
    work: (folder: Folder, bounds: Bounds) => Promise<void>,
  ): Promise<void> {
    await this.#call(options, async (bounds) => {
      const folder = isReference(reference)
        ? this.#locations.folderOf(reference.scope, options?.context)
        : undefined;
      if (!folder?.isOwn) throw notOurs(reference, folder);
      await work(folder, bounds).finally(() => this.#reads.forget(folderKey(folder)));
    });
  }

  async #call<T>(options: CallOptions | undefined, work: (bounds: Bounds) => Promise<T>): Promise<T> {
    const signals = [options?.signal, this.#closing.signal];
    return withinBounds({ timeoutMs: this.#options.timeoutMs, clock: this.#clock, signals }, work);
  }
}

function hidden(reference: SecretReference): Error {
  return failure(
    'forbidden',
    `The machine identity may see that ${secretId(reference)} exists, but not its value: give it the permission to read values.`,
  );
}

function notOurs(reference: SecretReference, folder: Folder | undefined): Error {
  const id = JSON.stringify(secretId(reference));
  if (!isReference(reference))
    return mcpError('INVALID_ARGUMENT', `A secret is kept under "<scope>:<KEY>", not under ${id}.`);
  const why = folder
    ? `${folder.path} does not name the scope and may be others' too: let locate give a path that holds it`
    : 'locate gives its scope no folder';
  return mcpError('INVALID_ARGUMENT', `infisicalSecrets does not write ${id}: ${why}.`);
}
