import {
  type AppendOptions,
  type CallOptions,
  type EventDraft,
  type InstanceRecord,
  mcpError,
  type MCPServer,
  type StoreWriter,
  type WriteEffects,
} from '@mcpinfra/core/plugin';
import type { Queries } from '../database/database.js';
import { brokenConstraint } from '../database/store-error.js';
import { instanceValues, serverValues } from '../sql/columns.js';
import { plainCopy } from '../sql/json.js';
import type { Write } from '../sql/write.js';
import { type Writes, writesFor } from '../sql/writes.js';
import { alreadyExists, Refusals, type Given, type RowKind } from './refusals.js';

/** Gives a write the session it runs on: one of its own, or that of a transaction. */
type Run = <T>(write: (session: Queries) => Promise<T>, options?: CallOptions) => Promise<T>;

/** What a {@link SqlWriter} is made of. */
export interface SqlWriterParts {
  readonly run: Run;
  readonly statements: WriterStatements;
  /** Told when events were appended. */
  readonly onAppended: () => void;
}

/** What writers of one schema share. */
export interface WriterStatements {
  readonly writes: Writes;
  readonly refusals: Refusals;
}

/** Makes what writers of one quoted schema share. */
export function writerStatements(schema: string): WriterStatements {
  return { writes: writesFor(schema), refusals: new Refusals(schema) };
}

const attempts = 3;

/** The writing methods, the same in a transaction and outside of one. What is given is written down before it waits. */
export class SqlWriter implements StoreWriter {
  readonly #parts: SqlWriterParts;
  readonly #writes: Writes;
  readonly #refusals: Refusals;

  constructor(parts: SqlWriterParts) {
    this.#parts = parts;
    this.#writes = parts.statements.writes;
    this.#refusals = parts.statements.refusals;
  }

  async createServer(server: MCPServer, effects: WriteEffects, options?: CallOptions): Promise<MCPServer> {
    const row = plainCopy({ ...server, resourceVersion: 1 });
    const values = serverValues(row);
    const done = this.#prepare(this.#writes.createServer, values, effects);
    return this.#parts.run(async (session) => {
      if (!(await named('server', row, () => done(session)))) throw await this.#lostFence(session, effects);
      return row;
    }, options);
  }

  async updateServer(server: MCPServer, effects: WriteEffects, options?: CallOptions): Promise<MCPServer> {
    const row = plainCopy({ ...server, resourceVersion: server.resourceVersion + 1 });
    const done = this.#prepare(this.#writes.updateServer, serverValues(row), effects);
    return this.#parts.run(async (session) => {
      if (await named('server', row, () => done(session))) return row;
      const { error } = await this.#refusals.ofChange(session, refused('server', server, effects));
      throw error;
    }, options);
  }

  async deleteServer(id: string, effects: WriteEffects, options?: CallOptions): Promise<void> {
    const done = this.#prepare(this.#writes.deleteServer, [id], effects);
    await this.#parts.run(async (session) => {
      if (await done(session)) return;
      const lost = await this.#refusals.ofFence(session, effects.fence);
      if (lost !== null) throw lost;
    }, options);
  }

  async createInstance(
    record: InstanceRecord,
    effects: WriteEffects,
    options?: CallOptions,
  ): Promise<InstanceRecord> {
    const row = plainCopy({ ...fenced(record, effects), resourceVersion: 1 });
    const done = this.#prepare(this.#writes.createInstance, instanceValues(row), effects);
    return this.#parts.run(async (session) => {
      for (let attempt = 1; attempt <= attempts; attempt += 1) {
        if (await named('instance', row, () => done(session))) return row;
        const refusal =
          (await this.#refusals.ofFence(session, effects.fence)) ??
          (await this.#refusals.ofCreation(session, row, effects));
        if (refusal !== null) throw refusal;
        // The first of a tenant: a limited counter has to be there before it can be locked.
        const names = (effects.counters ?? []).map(({ name }) => name);
        await session.query(this.#writes.ensureCounters, [names]);
      }
      throw mcpError('CONFLICT', `The instance "${row.name}" could not be added beside others; try again.`);
    }, options);
  }

  async updateInstance(
    record: InstanceRecord,
    effects: WriteEffects,
    options?: CallOptions,
  ): Promise<InstanceRecord> {
    const row = plainCopy({ ...fenced(record, effects), resourceVersion: record.resourceVersion + 1 });
    const done = this.#prepare(this.#writes.updateInstance, instanceValues(row), effects);
    return this.#parts.run(async (session) => {
      if (await named('instance', row, () => done(session))) return row;
      const { error } = await this.#refusals.ofChange(session, refused('instance', record, effects));
      throw error;
    }, options);
  }

  async deleteInstance(record: InstanceRecord, effects: WriteEffects, options?: CallOptions): Promise<void> {
    const given = refused('instance', record, effects);
    const done = this.#prepare(this.#writes.deleteInstance, [record.id, record.resourceVersion], effects);
    await this.#parts.run(async (session) => {
      if (await done(session)) return;
      const { gone, error } = await this.#refusals.ofChange(session, given);
      if (!gone) throw error;
    }, options);
  }

  async appendEvents(events: readonly EventDraft[], options: AppendOptions = {}): Promise<void> {
    const effects = { events, fence: options.fence };
    const done = this.#prepare(this.#writes.append, [], effects);
    await this.#parts.run(async (session) => {
      if (!(await done(session))) throw await this.#lostFence(session, effects);
    }, options);
  }

  /** Writes the values down at once, and makes the call that tells whether the write was done. */
  #prepare(write: Write, row: unknown[], effects: WriteEffects): (session: Queries) => Promise<boolean> {
    const { statement, values } = write.with(row, effects);
    const appends = effects.events.length > 0;
    return async (session) => {
      if ((await session.change(statement, values)) === 0) return false;
      if (appends) this.#parts.onAppended();
      return true;
    };
  }

  /** Only a fence can have forbidden the write; when it holds now, its lease was taken anew at this moment. */
  async #lostFence(session: Queries, { fence }: WriteEffects): Promise<Error> {
    const lost = await this.#refusals.ofFence(session, fence);
    return lost ?? mcpError('CONFLICT', 'Nothing was written beside others; try again.');
  }
}

function fenced(record: InstanceRecord, { fence }: WriteEffects): InstanceRecord {
  return fence === undefined ? record : { ...record, runtime: { ...record.runtime, leaseEpoch: fence } };
}

function refused(
  kind: RowKind,
  { id, name, resourceVersion }: Given,
  { fence }: WriteEffects,
): Parameters<Refusals['ofChange']>[1] {
  return { kind, given: { id, name, resourceVersion }, fence };
}

/** Tells of a broken unique constraint by what the row has in common with another. */
async function named<T>(
  kind: RowKind,
  row: Parameters<typeof alreadyExists>[2],
  write: () => Promise<T>,
): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const constraint = brokenConstraint(error);
    if (constraint === undefined) throw error;
    throw alreadyExists(kind, constraint.replace(/^(?:servers|instances)_/u, ''), row);
  }
}
