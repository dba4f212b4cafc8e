import { mcpError } from '../../plugin-essentials.js';
import type {
  CounterChange,
  Event,
  EventDraft,
  InstanceRecord,
  MCPServer,
  WriteEffects,
} from '../../plugin.js';
import { frozenCopy } from './frozen-copy.js';
import { instanceKey, type Layer, serverKey } from './layer.js';

/** Adds a server. */
export function createServer(layer: Layer, server: MCPServer, effects: WriteEffects): MCPServer {
  if (layer.servers.get(server.id) !== undefined) throw exists(`A server with the id ${server.id}`, 'id');
  refuseTakenServer(layer, server);
  const row = frozenCopy({ ...server, resourceVersion: 1 });
  setServer(layer, row);
  applyEffects(layer, effects, row.resourceVersion);
  return row;
}

/** Replaces a server of the same version. */
export function updateServer(layer: Layer, server: MCPServer, effects: WriteEffects): MCPServer {
  const current = layer.servers.get(server.id);
  if (current?.resourceVersion !== server.resourceVersion) throw conflict('server', server, current);
  refuseTakenServer(layer, server);
  const row = frozenCopy({ ...server, resourceVersion: current.resourceVersion + 1 });
  unsetServer(layer, current);
  setServer(layer, row);
  applyEffects(layer, effects, row.resourceVersion);
  return row;
}

/** Removes a server, whatever its version. */
export function deleteServer(layer: Layer, id: string, effects: WriteEffects): void {
  const current = layer.servers.get(id);
  if (current === undefined) return;
  unsetServer(layer, current);
  applyEffects(layer, effects, current.resourceVersion + 1);
}

/** Adds an instance. */
export function createInstance(layer: Layer, record: InstanceRecord, effects: WriteEffects): InstanceRecord {
  if (layer.instances.get(record.id) !== undefined)
    throw exists(`An instance with the id ${record.id}`, 'id');
  refuseTakenInstance(layer, record);
  const row = frozenCopy({ ...record, resourceVersion: 1, runtime: fenced(record, effects) });
  setInstance(layer, row);
  applyEffects(layer, effects, row.resourceVersion);
  return row;
}

/** Replaces an instance of the same version. */
export function updateInstance(layer: Layer, record: InstanceRecord, effects: WriteEffects): InstanceRecord {
  const current = layer.instances.get(record.id);
  refuseLostLease(current, effects);
  if (current?.resourceVersion !== record.resourceVersion) throw conflict('instance', record, current);
  refuseTakenInstance(layer, record);
  const row = frozenCopy({
    ...record,
    resourceVersion: current.resourceVersion + 1,
    runtime: fenced(record, effects),
  });
  unsetInstance(layer, current);
  setInstance(layer, row);
  applyEffects(layer, effects, row.resourceVersion);
  return row;
}

/** Removes an instance of the same version. */
export function deleteInstance(layer: Layer, record: InstanceRecord, effects: WriteEffects): void {
  const current = layer.instances.get(record.id);
  if (current === undefined) return;
  refuseLostLease(current, effects);
  if (current.resourceVersion !== record.resourceVersion) throw conflict('instance', record, current);
  unsetInstance(layer, current);
  // A delete is a change too: its news must look newer than that of the last update.
  applyEffects(layer, effects, current.resourceVersion + 1);
}

/** Appends events behind the last one; they get their number later, in this order. */
export function appendEvents(layer: Layer, drafts: readonly EventDraft[], resourceVersion: number): void {
  let position = layer.mark('last');
  for (const draft of drafts) {
    position += 1;
    const event: Event = { ...draft, position, resourceVersion };
    layer.events.set(position, frozenCopy(event));
  }
  if (drafts.length > 0) layer.marks.set('last', position);
}

function applyEffects(layer: Layer, effects: WriteEffects, resourceVersion: number): void {
  for (const change of effects.counters ?? []) count(layer, change);
  appendEvents(layer, effects.events, resourceVersion);
}

function count(layer: Layer, change: CounterChange): void {
  const value = layer.counters.get(change.name) ?? 0;
  const next = value + change.by;
  if (change.by > 0 && change.max !== undefined && next > change.max) {
    throw mcpError(
      'LIMIT_EXCEEDED',
      `The limit of ${change.max} for "${change.name}" is reached (now ${value}).`,
      {
        details: { counter: change.name, max: change.max, value },
      },
    );
  }
  layer.counters.set(change.name, next);
}

function setServer(layer: Layer, row: MCPServer): void {
  layer.servers.set(row.id, row);
  layer.serverKeys.set(serverKey(row), row.id);
}

function unsetServer(layer: Layer, row: MCPServer): void {
  layer.servers.delete(row.id);
  layer.serverKeys.delete(serverKey(row));
}

function setInstance(layer: Layer, row: InstanceRecord): void {
  layer.instances.set(row.id, row);
  layer.instanceKeys.set(instanceKey(row), row.id);
  layer.slugs.set(row.slug, row.id);
}

function unsetInstance(layer: Layer, row: InstanceRecord): void {
  layer.instances.delete(row.id);
  layer.instanceKeys.delete(instanceKey(row));
  layer.slugs.delete(row.slug);
}

function fenced(record: InstanceRecord, effects: WriteEffects): InstanceRecord['runtime'] {
  return effects.fence === undefined ? record.runtime : { ...record.runtime, leaseEpoch: effects.fence };
}

function refuseLostLease(current: InstanceRecord | undefined, effects: WriteEffects): void {
  if (current === undefined || effects.fence === undefined) return;
  const { leaseEpoch } = current.runtime;
  if (effects.fence >= leaseEpoch) return;
  throw mcpError(
    'LEASE_LOST',
    `A worker with the newer epoch ${leaseEpoch} has written the instance "${current.name}".`,
    {
      details: { id: current.id, fence: effects.fence, leaseEpoch },
    },
  );
}

function refuseTakenServer(layer: Layer, server: MCPServer): void {
  const owner = layer.serverKeys.get(serverKey(server));
  if (owner === undefined || owner === server.id) return;
  throw exists(`A server "${server.name}" of version "${server.version}"`, 'name');
}

function refuseTakenInstance(layer: Layer, record: InstanceRecord): void {
  const named = layer.instanceKeys.get(instanceKey(record));
  if (named !== undefined && named !== record.id) throw exists(`An instance named "${record.name}"`, 'name');
  const slugged = layer.slugs.get(record.slug);
  if (slugged !== undefined && slugged !== record.id)
    throw exists(`An instance with the slug "${record.slug}"`, 'slug');
}

function exists(what: string, field: 'id' | 'name' | 'slug'): Error {
  return mcpError('ALREADY_EXISTS', `${what} exists already.`, { details: { field } });
}

interface Versioned {
  readonly id: string;
  readonly name: string;
  readonly resourceVersion: number;
}

function conflict(kind: string, given: Versioned, current: Versioned | undefined): Error {
  const now = current === undefined ? 'it is gone' : `it has ${current.resourceVersion} now`;
  return mcpError(
    'CONFLICT',
    `The ${kind} "${given.name}" was to be changed from resourceVersion ${given.resourceVersion}, but ${now}.`,
    { details: { id: given.id, given: given.resourceVersion, current: current?.resourceVersion ?? null } },
  );
}
