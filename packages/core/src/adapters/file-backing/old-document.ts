import { z } from 'zod';
import {
  type Event,
  eventCodec,
  type InstanceRecord,
  instanceRecordCodec,
  mcpError,
  type MCPServer,
  serverCodec,
  type WireCodec,
} from '../../plugin.js';
import { frozenCopy } from '../memory-store/frozen-copy.js';
import { instanceKey, Layer, serverKey } from '../memory-store/layer.js';

/** Whose store a file holds. */
interface StoreHead {
  readonly storeId: string;
  readonly fleet: string;
}

/** What a file holds. */
export interface StoreDocument {
  readonly head: StoreHead;
  readonly rows: Layer;
}

const formatVersion = 1;

const position = z.int().nonnegative();
const documentSchema = z.object({
  format_version: z.literal(formatVersion),
  store_id: z.string().min(1),
  fleet: z.string().min(1),
  servers: z.array(z.unknown()),
  instances: z.array(z.unknown()),
  counters: z.record(z.string(), z.int()),
  cursors: z.record(z.string(), position),
  log: z.object({ removed: position, head: position, last: position }),
  epoch: position,
  events: z.array(z.unknown()),
});

/** Writes documents; the text of a row that did not change is not made again. */
export class DocumentWriter {
  readonly #texts = new WeakMap<object, string>();

  write({ head, rows }: StoreDocument): string {
    const list = (texts: readonly string[]): string =>
      texts.length === 0 ? '[]' : `[\n${texts.join(',\n')}\n]`;
    const events: string[] = [];
    const log = { removed: rows.mark('removed'), head: rows.mark('head'), last: rows.mark('last') };
    for (let at = log.removed + 1; at <= log.last; at += 1) {
      const event = rows.events.get(at);
      if (event !== undefined) events.push(this.#text(eventCodec, event));
    }
    const fields = {
      format_version: String(formatVersion),
      store_id: JSON.stringify(head.storeId),
      fleet: JSON.stringify(head.fleet),
      servers: list([...rows.servers.entries().values()].map((row) => this.#text(serverCodec, row))),
      instances: list(
        [...rows.instances.entries().values()].map((row) => this.#text(instanceRecordCodec, row)),
      ),
      counters: JSON.stringify(Object.fromEntries(rows.counters.entries())),
      cursors: JSON.stringify(Object.fromEntries(rows.cursors.entries())),
      log: JSON.stringify(log),
      epoch: String(rows.mark('epoch')),
      events: list(events),
    };
    return `{${Object.entries(fields)
      .map(([key, text]) => `\n"${key}": ${text}`)
      .join(',')}\n}\n`;
  }

  /**
   * Makes the texts of what was changed.
   *
   * @throws `INVALID_ARGUMENT` for a row that could not be read again
   */
  prepare(changes: Layer): void {
    for (const [, row] of changes.servers.changes()) if (row !== undefined) this.#text(serverCodec, row);
    for (const [, row] of changes.instances.changes())
      if (row !== undefined) this.#text(instanceRecordCodec, row);
    for (const [, event] of changes.events.changes()) if (event !== undefined) this.#text(eventCodec, event);
  }

  #text<T extends object>(codec: WireCodec<T>, value: T): string {
    let text = this.#texts.get(value);
    if (text === undefined) {
      const json = codec.encode(value);
      codec.decode(json);
      text = JSON.stringify(json);
      this.#texts.set(value, text);
    }
    return text;
  }
}

/**
 * Reads a document.
 *
 * @throws `STORE_CORRUPT` or `STORE_VERSION`, naming the file
 */
export function readDocument(file: string, text: string): StoreDocument {
  const json = parse(file, text);
  const version: unknown =
    typeof json === 'object' && json !== null && 'format_version' in json && json.format_version;
  if (typeof version === 'number' && version > formatVersion) {
    throw mcpError(
      'STORE_VERSION',
      `${file} has the format ${version}; this version of the library reads up to ${formatVersion}.`,
      { details: { file, version, supported: formatVersion } },
    );
  }
  const parsed = documentSchema.safeParse(json);
  if (!parsed.success) throw corrupt(file, z.prettifyError(parsed.error));
  const { store_id: storeId, fleet, ...content } = parsed.data;
  try {
    return { head: { storeId, fleet }, rows: readRows(content) };
  } catch (cause) {
    throw corrupt(file, cause instanceof Error ? cause.message : 'it cannot be read', cause);
  }
}

function readRows(content: Omit<z.infer<typeof documentSchema>, 'store_id' | 'fleet'>): Layer {
  const rows = new Layer();
  for (const json of content.servers) addServer(rows, serverCodec.decode(json));
  for (const json of content.instances) addInstance(rows, instanceRecordCodec.decode(json));
  for (const [name, value] of Object.entries(content.counters)) rows.counters.set(name, value);
  for (const [group, at] of Object.entries(content.cursors)) rows.cursors.set(group, at);
  const { removed, head, last } = content.log;
  rows.marks.set('removed', removed);
  rows.marks.set('head', head);
  rows.marks.set('last', last);
  rows.marks.set('epoch', content.epoch);
  content.events.forEach((json, index) => addEvent(rows, eventCodec.decode(json), removed + 1 + index));
  if (removed > head || head > last || last !== removed + content.events.length) {
    throw mcpError('STORE_CORRUPT', 'the positions of its events do not agree');
  }
  return rows;
}

function addServer(rows: Layer, server: MCPServer): void {
  refuseTwice(
    rows.servers.get(server.id) ?? rows.serverKeys.get(serverKey(server)),
    `the server ${server.id}`,
  );
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

function addEvent(rows: Layer, event: Event, expected: number): void {
  if (event.position !== expected) {
    throw mcpError('STORE_CORRUPT', `it has event ${event.position} in place of ${expected}`);
  }
  rows.events.set(expected, frozenCopy(event));
}

function refuseTwice(there: unknown, what: string): void {
  if (there !== undefined) throw mcpError('STORE_CORRUPT', `it has ${what}, or one of its name, twice`);
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // The parser's own message quotes the text around the fault.
    const { length } = text;
    throw corrupt(
      file,
      length === 0 ? 'it is empty' : `it is no complete JSON (${length} characters)`,
      cause,
    );
  }
}

function corrupt(file: string, why: string, cause?: unknown): Error {
  return mcpError(
    'STORE_CORRUPT',
    `${file} is not the file of a store, or is damaged: ${why}. It was left as it is.`,
    {
      details: { file },
      cause,
    },
  );
}
