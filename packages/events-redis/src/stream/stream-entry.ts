import { type Event, eventCodec, eventTypes, messageOf } from '@mcpinfra/core/plugin';

/** The field of a stream entry that holds the event. */
export const eventField = 'event';

/** An entry as Redis gives it: its id, then fields and values in turn; none when it was trimmed meanwhile. */
export type StreamEntry = readonly [id: string, fields: readonly string[] | null];

/** What an entry holds. */
export type EntryContent =
  | { readonly kind: 'event'; readonly event: Event }
  /** Of a newer version: nobody here can want it. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'malformed'; readonly reason: string };

export function encodeEvent(event: Event): string {
  return JSON.stringify(eventCodec.encode(event));
}

export function readEntry(fields: readonly string[]): EntryContent {
  const text = rawEvent(fields);
  if (text === undefined)
    return { kind: 'malformed', reason: `it has no field ${JSON.stringify(eventField)}` };
  try {
    const json: unknown = JSON.parse(text);
    if (isOfUnknownType(json)) return { kind: 'unknown' };
    return { kind: 'event', event: eventCodec.decode(json) };
  } catch (error) {
    return { kind: 'malformed', reason: messageOf(error) };
  }
}

/** The text of the event in an entry, whatever it is. */
export function rawEvent(fields: readonly string[]): string | undefined {
  if (fields[0] === eventField) return fields[1];
  const at = fields.findIndex((name, index) => index % 2 === 0 && name === eventField);
  return at < 0 ? undefined : fields[at + 1];
}

function isOfUnknownType(json: unknown): boolean {
  if (typeof json !== 'object' || json === null || !('type' in json)) return false;
  return typeof json.type === 'string' && !eventTypes.has(json.type);
}
