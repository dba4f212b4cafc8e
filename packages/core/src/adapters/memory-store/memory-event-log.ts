import { mcpError } from '../../plugin-essentials.js';
import type {
  CallOptions,
  DeadLetter,
  Event,
  EventLog,
  EventQuery,
  GroupCursor,
  Timestamp,
} from '../../plugin.js';
import { frozenCopy } from './frozen-copy.js';
import { type Layer, letterKey, letterPrefix } from './layer.js';
import type { Change } from './memory-writer.js';

/** What the event log works on. */
export interface EventLogContext {
  /** Refuses calls outside of open and close. */
  reading(options?: CallOptions): Promise<Layer>;
  readonly change: Change;
  /** How many numbered events are kept. */
  readonly retention: number;
}

/** The log of committed events. */
export class MemoryEventLog implements EventLog {
  readonly #context: EventLogContext;

  constructor(context: EventLogContext) {
    this.#context = context;
  }

  async number(limit: number, options?: CallOptions): Promise<readonly Event[]> {
    // Most calls find nothing; they need no turn and, with a file, no write.
    const committed = await this.#context.reading(options);
    if (committed.mark('head') === committed.mark('last')) return [];
    return this.#context.change((layer) => {
      const before = layer.mark('head');
      const head = Math.min(before + limit, layer.mark('last'));
      const numbered = eventsBetween(layer, before, head);
      layer.marks.set('head', head);
      remove(layer, (position) => position <= head - this.#context.retention);
      return numbered;
    }, options);
  }

  async read(query: EventQuery, options?: CallOptions): Promise<readonly Event[]> {
    const layer = await this.#context.reading(options);
    const removed = layer.mark('removed');
    if (query.after < removed) {
      throw mcpError(
        'CURSOR_EXPIRED',
        `Events after position ${query.after} are asked for, but those up to ${removed} have been removed.`,
        { details: { after: query.after, oldest: removed + 1, head: layer.mark('head') } },
      );
    }
    const found: Event[] = [];
    const end = Math.min(layer.mark('head'), query.upTo ?? Infinity);
    for (let position = query.after + 1; position <= end && found.length < query.limit; position += 1) {
      const event = layer.events.get(position);
      if (event !== undefined && matches(event, query)) found.push(event);
    }
    return found;
  }

  async head(options?: CallOptions): Promise<number> {
    return (await this.#context.reading(options)).mark('head');
  }

  async cursor(group: string, options?: CallOptions): Promise<number | null> {
    return (await this.#context.reading(options)).cursors.get(group) ?? null;
  }

  async saveCursor(group: string, position: number, options?: CallOptions): Promise<void> {
    await this.#context.change((layer) => {
      if (position > (layer.cursors.get(group) ?? -1)) layer.cursors.set(group, position);
    }, options);
  }

  async setCursor(group: string, position: number | null, options?: CallOptions): Promise<void> {
    await this.#context.change((layer) => {
      if (position !== null) {
        layer.cursors.set(group, position);
        return;
      }
      layer.cursors.delete(group);
      for (const key of lettersOf(layer, group).keys()) layer.deadLetters.delete(key);
    }, options);
  }

  async cursors(prefix: string, options?: CallOptions): Promise<readonly GroupCursor[]> {
    const layer = await this.#context.reading(options);
    const found = [...layer.cursors.entries()].filter(([group]) => group.startsWith(prefix));
    return found
      .map(([group, position]) => ({ group, position, deadLetters: lettersOf(layer, group).size }))
      .sort((a, b) => (a.group < b.group ? -1 : 1));
  }

  async addDeadLetter(group: string, letter: DeadLetter, options?: CallOptions): Promise<void> {
    await this.#context.change((layer) => {
      layer.deadLetters.set(letterKey(group, letter.event.position), frozenCopy(letter));
    }, options);
  }

  async deadLetters(
    group: string,
    { after, limit }: Pick<EventQuery, 'after' | 'limit'>,
    options?: CallOptions,
  ): Promise<readonly DeadLetter[]> {
    const layer = await this.#context.reading(options);
    return [...lettersOf(layer, group).values()]
      .filter(({ event }) => event.position > after)
      .sort((a, b) => a.event.position - b.event.position)
      .slice(0, limit);
  }

  async removeDeadLetter(group: string, position: number, options?: CallOptions): Promise<void> {
    await this.#context.change((layer) => {
      const key = letterKey(group, position);
      if (layer.deadLetters.get(key) !== undefined) layer.deadLetters.delete(key);
    }, options);
  }

  async trim(before: Timestamp, options?: CallOptions): Promise<number> {
    return this.#context.change(
      (layer) => remove(layer, (_position, event) => event !== undefined && event.time < before),
      options,
    );
  }
}

function lettersOf(layer: Layer, group: string): ReadonlyMap<string, DeadLetter> {
  const prefix = letterPrefix(group);
  return new Map([...layer.deadLetters.entries()].filter(([key]) => key.startsWith(prefix)));
}

function eventsBetween(layer: Layer, after: number, head: number): readonly Event[] {
  const events: Event[] = [];
  for (let position = after + 1; position <= head; position += 1) {
    const event = layer.events.get(position);
    if (event !== undefined) events.push(event);
  }
  return events;
}

/** Removes from the old end of what is numbered: an event nobody has been told of is never removed. */
function remove(layer: Layer, old: (position: number, event: Event | undefined) => boolean): number {
  const before = layer.mark('removed');
  const head = layer.mark('head');
  let removed = before;
  while (removed < head && old(removed + 1, layer.events.get(removed + 1))) {
    removed += 1;
    layer.events.delete(removed);
  }
  if (removed > before) layer.marks.set('removed', removed);
  return removed - before;
}

function matches(event: Event, query: EventQuery): boolean {
  return (
    (query.tenant === undefined || event.tenant === query.tenant) &&
    (query.subject === undefined || event.subject === query.subject) &&
    (query.types === undefined || query.types.includes(event.type))
  );
}
