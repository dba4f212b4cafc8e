import type { DeadLetter, Event, InstanceRecord, MCPServer } from '../../plugin.js';
import { Cells } from './cells.js';

/**
 * Positions in the event log: those up to `removed` are gone, those up to `head` are numbered, those up to `last` are
 * committed. Commits are serial, so the order of appending is the order of commits and needs no gap. `epoch` is the
 * highest ever given to a lease.
 */
export type Mark = 'removed' | 'head' | 'last' | 'epoch';

/** Everything a commit can change; a child holds the changes of one write or transaction. */
export class Layer {
  readonly servers: Cells<string, MCPServer>;
  /** Ids of servers by {@link serverKey}. */
  readonly serverKeys: Cells<string, string>;
  readonly instances: Cells<string, InstanceRecord>;
  /** Ids of instances by {@link instanceKey}. */
  readonly instanceKeys: Cells<string, string>;
  /** Ids of instances by slug. */
  readonly slugs: Cells<string, string>;
  readonly counters: Cells<string, number>;
  readonly events: Cells<number, Event>;
  readonly marks: Cells<Mark, number>;
  /** Saved cursors by group. */
  readonly cursors: Cells<string, number>;
  /** By {@link letterKey}. */
  readonly deadLetters: Cells<string, DeadLetter>;

  constructor(parent?: Layer) {
    this.servers = new Cells(parent?.servers);
    this.serverKeys = new Cells(parent?.serverKeys);
    this.instances = new Cells(parent?.instances);
    this.instanceKeys = new Cells(parent?.instanceKeys);
    this.slugs = new Cells(parent?.slugs);
    this.counters = new Cells(parent?.counters);
    this.events = new Cells(parent?.events);
    this.marks = new Cells(parent?.marks);
    this.cursors = new Cells(parent?.cursors);
    this.deadLetters = new Cells(parent?.deadLetters);
  }

  child(): Layer {
    return new Layer(this);
  }

  mergeInto(target: Layer): void {
    this.servers.mergeInto(target.servers);
    this.serverKeys.mergeInto(target.serverKeys);
    this.instances.mergeInto(target.instances);
    this.instanceKeys.mergeInto(target.instanceKeys);
    this.slugs.mergeInto(target.slugs);
    this.counters.mergeInto(target.counters);
    this.events.mergeInto(target.events);
    this.marks.mergeInto(target.marks);
    this.cursors.mergeInto(target.cursors);
    this.deadLetters.mergeInto(target.deadLetters);
  }

  /** Whether nothing was changed here. */
  get isEmpty(): boolean {
    const rows = [this.servers, this.instances, this.events, this.deadLetters];
    const numbers = [this.counters, this.marks, this.cursors];
    return [...rows, ...numbers].every((table) => table.isUnchanged);
  }

  mark(name: Mark): number {
    return this.marks.get(name) ?? 0;
  }
}

/** What is unique of a server. */
export function serverKey(server: MCPServer): string {
  return [server.tenant, server.name, server.version].join('\0');
}

/** What is unique of an instance. */
export function instanceKey(instance: Pick<InstanceRecord, 'tenant' | 'name'>): string {
  return [instance.tenant, instance.name].join('\0');
}

/** What is unique of a dead letter. */
export function letterKey(group: string, position: number): string {
  return `${letterPrefix(group)}${String(position)}`;
}

/** What the keys of a group's dead letters begin with. */
export function letterPrefix(group: string): string {
  return `${group}\0`;
}
