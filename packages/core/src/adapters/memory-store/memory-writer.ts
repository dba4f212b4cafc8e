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
    const given = frozenCopy({ server, effects });
    return this.#write((layer) => writes.createServer(layer, given.server, given.effects), effects, options);
  }

  async updateServer(server: MCPServer, effects: WriteEffects, options?: CallOptions): Promise<MCPServer> {
    const given = frozenCopy({ server, effects });
    return this.#write((layer) => writes.updateServer(layer, given.server, given.effects), effects, options);
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
    const given = frozenCopy({ record, effects });
    return this.#write(
      (layer) => writes.createInstance(layer, given.record, given.effects),
      effects,
      options,
    );
  }

  async updateInstance(
    record: InstanceRecord,
    effects: WriteEffects,
    options?: CallOptions,
  ): Promise<InstanceRecord> {
    const given = frozenCopy({ record, effects });
    return this.#write(
      (layer) => writes.updateInstance(layer, given.record, given.effects),
      effects,
      options,
    );
  }

  async deleteInstance(record: InstanceRecord, effects: WriteEffects, options?: CallOptions): Promise<void> {
    const given = frozenCopy({ record, effects });
    await this.#write((layer) => writes.deleteInstance(layer, given.record, given.effects), effects, options);
  }

  async appendEvents(events: readonly EventDraft[], options: AppendOptions = {}): Promise<void> {
    const given = frozenCopy({ events });
    await this.#write((layer) => writes.appendEvents(layer, given.events, 0), options, options);
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
