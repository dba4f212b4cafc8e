import type {
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

  constructor(change: Change) {
    this.#change = change;
  }

  async createServer(server: MCPServer, effects: WriteEffects, options?: CallOptions): Promise<MCPServer> {
    const given = frozenCopy({ server, effects });
    return this.#change((layer) => writes.createServer(layer, given.server, given.effects), options);
  }

  async updateServer(server: MCPServer, effects: WriteEffects, options?: CallOptions): Promise<MCPServer> {
    const given = frozenCopy({ server, effects });
    return this.#change((layer) => writes.updateServer(layer, given.server, given.effects), options);
  }

  async deleteServer(id: string, effects: WriteEffects, options?: CallOptions): Promise<void> {
    const given = frozenCopy({ effects });
    await this.#change((layer) => writes.deleteServer(layer, id, given.effects), options);
  }

  async createInstance(
    record: InstanceRecord,
    effects: WriteEffects,
    options?: CallOptions,
  ): Promise<InstanceRecord> {
    const given = frozenCopy({ record, effects });
    return this.#change((layer) => writes.createInstance(layer, given.record, given.effects), options);
  }

  async updateInstance(
    record: InstanceRecord,
    effects: WriteEffects,
    options?: CallOptions,
  ): Promise<InstanceRecord> {
    const given = frozenCopy({ record, effects });
    return this.#change((layer) => writes.updateInstance(layer, given.record, given.effects), options);
  }

  async deleteInstance(record: InstanceRecord, effects: WriteEffects, options?: CallOptions): Promise<void> {
    const given = frozenCopy({ record, effects });
    await this.#change((layer) => writes.deleteInstance(layer, given.record, given.effects), options);
  }

  async appendEvents(events: readonly EventDraft[], options?: CallOptions): Promise<void> {
    const given = frozenCopy({ events });
    await this.#change((layer) => writes.appendEvents(layer, given.events, 0), options);
  }
}
