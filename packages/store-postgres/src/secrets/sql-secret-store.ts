import {
  type CallOptions,
  formatSecretReference,
  mcpError,
  orAborted,
  parseSecretReference,
  type Secret,
  type SecretContext,
  secretId,
  type SecretReference,
  type SecretStore,
  throwIfAborted,
} from '@mcpinfra/core/plugin';
import type { Connection, Database, Queryable } from '../database/database.js';
import { Gate } from '../database/gate.js';
import { migrate } from '../sql/migrate.js';
import { quoted } from '../sql/statement.js';
import { asSecretBackend } from './as-secret-backend.js';
import { checkKeys } from './check-keys.js';
import type { Envelope } from './envelope.js';
import type { KeyHolder } from './key-holder.js';
import { type KeyRotation, rotateKeys } from './rotate-keys.js';
import { sealedOf } from './sealed-row.js';
import { type SecretStatements, secretStatements } from './secret-statements.js';

/** A secret store whose values are sealed, and can be sealed anew under another key. */
export interface SealedSecretStore extends SecretStore {
  /**
   * Seals every value that is under another key anew, under the current one; reads and writes go on meanwhile.
   *
   * It can be ended, repeated, and run by several processes at once. A key may be taken away when nothing `remaining` is
   * told and no process writes under it any more.
   *
   * @throws `SECRET_BACKEND_FAILED`; what was sealed anew until then stays so
   */
  rotateKeys(options?: CallOptions): Promise<KeyRotation>;
}

/** What a {@link SqlSecretStore} is made of. */
export interface SqlSecretStoreParts {
  readonly name: string;
  readonly database: Database;
  /** The name of the schema. */
  readonly schema: string;
  readonly keys: KeyHolder;
  /** Gives back what only opening needed. */
  readonly onOpened?: (() => Promise<void>) | undefined;
}

/** Secrets in PostgreSQL, on a server or embedded. */
export class SqlSecretStore implements SealedSecretStore {
  readonly specificationVersion = 'v1';
  readonly name: string;
  readonly durable: boolean;
  readonly #parts: SqlSecretStoreParts;
  readonly #gate = new Gate();
  readonly #database: Connection;
  readonly #statements: SecretStatements;
  #envelope: Envelope | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: SqlSecretStoreParts) {
    this.#parts = parts;
    this.name = parts.name;
    this.durable = parts.database.durable;
    this.#database = this.#gate.before(parts.database);
    this.#statements = secretStatements(quoted(parts.schema));
  }

  async open(options?: CallOptions): Promise<void> {
    throwIfAborted(options?.signal);
    this.#gate.refuseClosed();
    if (this.#envelope !== undefined) return;
    this.#envelope = await asSecretBackend(this.#open(options));
    this.#gate.open();
  }

  async close(): Promise<void> {
    this.#gate.close();
    this.#closing ??= this.#parts.database.close();
    await this.#closing;
  }

  async resolve(
    references: readonly SecretReference[],
    _context: SecretContext,
    options?: CallOptions,
  ): Promise<ReadonlyMap<string, Secret>> {
    const envelope = this.#pass(options);
    const wanted = [...new Map(references.map((one) => [secretId(one), one])).values()];
    if (wanted.length === 0) return new Map();
    const names = [wanted.map(({ scope }) => scope), wanted.map(({ key }) => key)];
    const rows = await asSecretBackend(this.#database.query(this.#statements.resolve, names, options));
    const values = rows.map(async (row): Promise<[string, Secret]> => {
      const reference = { scope: row['scope'] ?? '', key: row['key'] ?? '' };
      const value = await envelope.open([reference.scope, reference.key], sealedOf(row), options);
      return [secretId(reference), value ?? refuseUnreadable(reference)];
    });
    return new Map(await orAborted(Promise.all(values), options?.signal));
  }

  async put(reference: SecretReference, value: Secret, options?: CallOptions): Promise<void> {
    const envelope = this.#pass(options);
    const { scope, key } = checked(reference);
    const { keyId, dataKey, body } = await orAborted(
      envelope.seal([scope, key], value, options),
      options?.signal,
    );
    await this.#write(this.#statements.put, [scope, key, keyId, dataKey, body], options);
  }

  async delete({ scope, key }: SecretReference, options?: CallOptions): Promise<void> {
    await this.#write(this.#statements.delete, [scope, key], options);
  }

  async deleteScope(scope: string, options?: CallOptions): Promise<void> {
    await this.#write(this.#statements.deleteScope, [scope], options);
  }

  async list(scope: string, options?: CallOptions): Promise<readonly SecretReference[]> {
    this.#pass(options);
    const rows = await asSecretBackend(this.#database.query(this.#statements.listScope, [scope], options));
    return rows.map((row) => ({ scope, key: row['key'] ?? '' }));
  }

  async rotateKeys(options?: CallOptions): Promise<KeyRotation> {
    const envelope = this.#pass(options);
    const { current } = this.#parts.keys;
    const parts = { database: this.#database, statements: this.#statements, envelope, current };
    return asSecretBackend(rotateKeys(parts, options));
  }

  async #open(options: CallOptions | undefined): Promise<Envelope> {
    const { database, schema, keys, onOpened } = this.#parts;
    await database.open(options);
    await migrate(database.direct, schema, options);
    const connection = database.direct;
    const envelope = await checkKeys({ connection, statements: this.#statements, keys, schema }, options);
    await onOpened?.();
    return envelope;
  }

  async #write(...[statement, values, options]: Parameters<Queryable['query']>): Promise<void> {
    await asSecretBackend(this.#database.query(statement, values, options));
  }

  #pass(options: CallOptions | undefined): Envelope {
    this.#gate.pass(options);
    if (this.#envelope !== undefined) return this.#envelope;
    throw mcpError('NOT_STARTED', 'The secret store is not open yet; call open() first.');
  }
}

/** Refuses a name that no reference could ever have. */
function checked(reference: SecretReference): SecretReference {
  const parsed = parseSecretReference(formatSecretReference(reference));
  if (parsed?.scope === reference.scope && parsed.key === reference.key) return reference;
  throw mcpError(
    'INVALID_ARGUMENT',
    `A secret is kept under "<scope>:<KEY>", not under ${JSON.stringify(secretId(reference))}.`,
  );
}

function refuseUnreadable(reference: SecretReference): never {
  throw mcpError(
    'SECRET_BACKEND_FAILED',
    `The row of ${secretId(reference)} cannot be read: it was changed, or copied from another name or store. Set the ` +
      'secret again.',
    { details: { secret: secretId(reference) }, retryable: false },
  );
}
