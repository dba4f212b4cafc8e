import { mcpError } from '../../plugin-essentials.js';
import type {
  AppendOptions,
  CallOptions,
  EventDraft,
  InstanceRecord,
  MCPServer,
  StoreWriter,
  WriteEffects,
} from '../../plugin.js';
import { frozenCopy } from './frozen-copy.js';
import type { Layer } from './layer.js';
import * as writes from './writes.js';

/** Runs a write on a layer of its own and keeps it if it does not throw. */
export type Change = <T>(write: (layer: Layer) => T, options?: CallOptions) => Promise<T>;

/** The writing methods, the same in a transaction and outside of one. What is given is copied before it waits. */
export class MemoryWriter implements StoreWriter {
  readonly #change: Change;
  readonly #holds: (epoch: number) => boolean;

  /** @param holds - whether the lease of an epoch is alive */
  constructor(change: Change, holds: (epoch: number) => boolean) {
    this.#holds = holds;
    this.#change = change;
  }

  async createServer(server: MCPServer, effects: WriteEffects, options?: CallOptions): Promise<MCPServer> {
    return this.#writeRow(writes.createServer, { row: server, effects }, options);
  }

  async updateServer(server: MCPServer, effects: WriteEffects, options?: CallOptions): Promise<MCPServer> {
    return this.#writeRow(writes.updateServer, { row: server, effects }, options);
  }

  async deleteServer(id: string, effects: WriteEffects, options?: CallOptions): Promise<void> {
    const given = frozenCopy({ effects });
    await this.#write((layer) => writes.deleteServer(layer, id, given.effects), effects, options);
  }

  async createInstance(
    record: InstanceRecord,
    effects: WriteEffects,
    options?: CallOptions,
  ): Promise<InstanceRecord> {
    return this.#writeRow(writes.createInstance, { row: record, effects }, options);
  }

  async updateInstance(
    record: InstanceRecord,
    effects: WriteEffects,
    options?: CallOptions,
  ): Promise<InstanceRecord> {
    return this.#writeRow(writes.updateInstance, { row: record, effects }, options);
  }

  async deleteInstance(record: InstanceRecord, effects: WriteEffects, options?: CallOptions): Promise<void> {
    await this.#writeRow(writes.deleteInstance, { row: record, effects }, options);
  }

  async appendEvents(events: readonly EventDraft[], options: AppendOptions = {}): Promise<void> {
    const given = frozenCopy({ events });
    await this.#write((layer) => writes.appendEvents(layer, given.events, 0), options, options);
  }

  async #writeRow<TRow extends object, T>(
    write: (layer: Layer, row: TRow, effects: WriteEffects) => T,
    request: { readonly row: TRow; readonly effects: WriteEffects },
    options?: CallOptions,
  ): Promise<T> {
    const { row, effects } = frozenCopy(request);
    return this.#write((layer) => write(layer, row, effects), effects, options);
  }

  async #write<T>(
    write: (layer: Layer) => T,
    { fence }: Pick<WriteEffects, 'fence'>,
    options?: CallOptions,
  ): Promise<T> {
    return this.#change((layer) => {
      if (fence !== undefined && !this.#holds(fence)) throw lost(fence);
      return write(layer);
    }, options);
  }
}

function lost(fence: number): Error {
  return mcpError(
    'LEASE_LOST',
    `The lease with the epoch ${fence} has expired, was given back or has another holder; nothing was written under it.`,
    { details: { fence } },
  );
}
