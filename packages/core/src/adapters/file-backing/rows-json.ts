import { z } from 'zod';
import {
  type DeadLetter,
  eventCodec,
  type InstanceRecord,
  instanceRecordCodec,
  mcpError,
  type MCPServer,
  serverCodec,
} from '../../plugin.js';
import type { Cells } from '../memory-store/cells.js';
import { frozenCopy } from '../memory-store/frozen-copy.js';
import {
  instanceKey,
  type Layer,
  letterKey,
  letterPrefix,
  type Mark,
  serverKey,
} from '../memory-store/layer.js';

const position = z.int().nonnegative();
const ids = z.array(z.string());
const letterSchema = z.object({
  group: z.string(),
  event: z.unknown(),
  error: z.string(),
  tries: position,
  at: z.string(),
});
const rowsSchema = z.object({
  servers: z.array(z.unknown()).default([]),
  servers_gone: ids.default([]),
  instances: z.array(z.unknown()).default([]),
  instances_gone: ids.default([]),
  counters: z.record(z.string(), z.int()).default({}),
  cursors: z.record(z.string(), position).default({}),
  cursors_gone: ids.default([]),
  dead_letters: z.array(letterSchema).default([]),
  dead_letters_gone: ids.default([]),
  events: z.array(z.unknown()).default([]),
  // Events up to `removed` are gone, which is all that is kept of their removal.
  marks: z.partialRecord(z.enum(['removed', 'head', 'last', 'epoch']), position).default({}),
});

/**
 * Gives what was changed in a layer as JSON. All of it is absolute, rows and numbers alike, and what did not change is left
 * out.
 */
export function rowsToJson(changes: Layer): Record<string, unknown> {
  const all: Record<string, readonly unknown[] | Record<string, unknown>> = {
    servers: present(changes.servers).map((row) => serverCodec.encode(row)),
    servers_gone: gone(changes.servers),
    instances: present(changes.instances).map((row) => instanceRecordCodec.encode(row)),
    instances_gone: gone(changes.instances),
    counters: Object.fromEntries(changes.counters.changes()),
    cursors: Object.fromEntries([...changes.cursors.changes()].filter(([, at]) => at !== undefined)),
    cursors_gone: gone(changes.cursors),
    dead_letters: [...changes.deadLetters.changes()].flatMap(([key, letter]) =>
      letter === undefined ? [] : [letterToJson(key, letter)],
    ),
    dead_letters_gone: gone(changes.deadLetters),
    events: present(changes.events).map((event) => eventCodec.encode(event)),
    marks: Object.fromEntries(changes.marks.changes()),
  };
  return Object.fromEntries(Object.entries(all).filter(([, part]) => Object.keys(part).length > 0));
}

/**
 * Applies what {@link rowsToJson} gave.
 *
 * @throws whatever makes the rows impossible: a form that is not that of a row, the same row or name twice
 */
export function applyRowsJson(rows: Layer, json: unknown): void {
  const parsed = rowsSchema.safeParse(json);
  if (!parsed.success) throw mcpError('STORE_CORRUPT', z.prettifyError(parsed.error));
  const { data } = parsed;
  const servers = data.servers.map((row) => serverCodec.decode(row));
  const instances = data.instances.map((row) => instanceRecordCodec.decode(row));
  // All first: rows may have changed their names among them.
  for (const id of [...data.servers_gone, ...servers.map((row) => row.id)]) removeServer(rows, id);
  for (const id of [...data.instances_gone, ...instances.map((row) => row.id)]) removeInstance(rows, id);
  for (const row of servers) addServer(rows, row);
  for (const row of instances) addInstance(rows, row);
  for (const [name, value] of Object.entries(data.counters)) rows.counters.set(name, value);
  for (const [group, at] of Object.entries(data.cursors)) rows.cursors.set(group, at);
  for (const group of data.cursors_gone) rows.cursors.delete(group);
  for (const key of data.dead_letters_gone) rows.deadLetters.delete(key);
  for (const { group, event, ...rest } of data.dead_letters) {
    const letter = frozenCopy({ event: eventCodec.decode(event), ...rest });
    rows.deadLetters.set(letterKey(group, letter.event.position), letter);
  }
  for (const [name, value] of Object.entries(data.marks)) rows.marks.set(name as Mark, value);
  for (const event of data.events.map((one) => eventCodec.decode(one))) {
    refuseTwice(rows.events.get(event.position), `event ${event.position}`);
    rows.events.set(event.position, frozenCopy(event));
  }
  const removed = rows.mark('removed');
  for (const [at] of rows.events.changes()) {
    if (at > removed) break;
    rows.events.delete(at);
  }
}

/** @throws when the log has a gap, or other events than its marks say */
export function checkLog(rows: Layer): void {
  const [removed, head, last] = [rows.mark('removed'), rows.mark('head'), rows.mark('last')];
  let expected = removed;
  for (const [at] of rows.events.changes()) {
    expected += 1;
    if (at !== expected) throw mcpError('STORE_CORRUPT', `it has event ${at} in place of ${expected}`);
  }
  if (removed > head || head > last || expected !== last) {
    throw mcpError('STORE_CORRUPT', 'the positions of its events do not agree');
  }
}

/** @throws `INVALID_ARGUMENT` for a row that could not be read again */
export function refuseUnreadable(changes: Layer): void {
  for (const row of present(changes.servers)) serverCodec.decode(serverCodec.encode(row));
  for (const row of present(changes.instances)) instanceRecordCodec.decode(instanceRecordCodec.encode(row));
  for (const event of present(changes.events)) eventCodec.decode(eventCodec.encode(event));
}

function letterToJson(key: string, { event, ...rest }: DeadLetter): object {
  const end = letterPrefix('').length + String(event.position).length;
  return { group: key.slice(0, -end), event: eventCodec.encode(event), ...rest };
}

function present<V>(table: Cells<string, V> | Cells<number, V>): V[] {
  const rows: V[] = [];
  for (const [, row] of table.changes()) if (row !== undefined) rows.push(row);
  return rows;
}

function gone<V>(table: Cells<string, V>): string[] {
  return [...table.changes()].flatMap(([id, row]) => (row === undefined ? [id] : []));
}

function removeServer(rows: Layer, id: string): void {
  const row = rows.servers.get(id);
  if (row === undefined) return;
  rows.servers.delete(id);
  rows.serverKeys.delete(serverKey(row));
}

function removeInstance(rows: Layer, id: string): void {
  const row = rows.instances.get(id);
  if (row === undefined) return;
  rows.instances.delete(id);
  rows.instanceKeys.delete(instanceKey(row));
  rows.slugs.delete(row.slug);
}

function addServer(rows: Layer, server: MCPServer): void {
  const there = rows.servers.get(server.id) ?? rows.serverKeys.get(serverKey(server));
  refuseTwice(there, `the server ${server.id}`);
  rows.servers.set(server.id, frozenCopy(server));
  rows.serverKeys.set(serverKey(server), server.id);
}

function addInstance(rows: Layer, row: InstanceRecord): void {
  const there =
    rows.instances.get(row.id) ?? rows.instanceKeys.get(instanceKey(row)) ?? rows.slugs.get(row.slug);
  refuseTwice(there, `the instance ${row.id}`);
  rows.instances.set(row.id, frozenCopy(row));
  rows.instanceKeys.set(instanceKey(row), row.id);
  rows.slugs.set(row.slug, row.id);
}

function refuseTwice(there: unknown, what: string): void {
  if (there !== undefined) throw mcpError('STORE_CORRUPT', `it has ${what}, or one of its name, twice`);
}
