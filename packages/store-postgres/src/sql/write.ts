import type { CounterChange, EventDraft, WriteEffects } from '@mcpinfra/core/plugin';
import { toJson } from './json.js';
import { planned, prepared, type Statement } from './statement.js';
import { type WriteParts, type WriteShape, writeText } from './write-text.js';

/** Writes with more events than this are rare: their statements are not kept prepared. */
const mostPrepared = 8;

/**
 * A change of a row, its events and its counters: one statement, which commits by itself in one trip.
 *
 * It writes or returns a row when it was done, and none when something forbade it; then nothing was changed.
 */
export class Write {
  readonly #parts: WriteParts;
  readonly #statements = new Map<string, Statement>();

  constructor(parts: WriteParts) {
    this.#parts = parts;
  }

  /** Gives the statement and its values: those of the change, to which those of its effects are added. */
  with(
    values: unknown[],
    { fence, events, counters = [] }: WriteEffects,
  ): { readonly statement: Statement; readonly values: readonly unknown[] } {
    if (fence !== undefined) values.push(fence);
    for (const event of events) values.push(...eventValues(event));
    for (const counter of counters) values.push(...counterValues(counter));
    const shape = { fenced: fence !== undefined, events: events.length, counters: counters.length };
    return { statement: this.#statement(shape), values };
  }

  #statement(shape: WriteShape): Statement {
    const { fenced, events, counters } = shape;
    if (events > mostPrepared) return planned(writeText(this.#parts, shape));
    const key = `${fenced}/${events}/${counters}`;
    let statement = this.#statements.get(key);
    if (statement === undefined) {
      statement = prepared(writeText(this.#parts, shape));
      this.#statements.set(key, statement);
    }
    return statement;
  }
}

function eventValues(event: EventDraft): unknown[] {
  return [event.tenant, event.type, event.subject, event.time, toJson(event)];
}

function counterValues({ name, by, max }: CounterChange): unknown[] {
  return [name, by, max ?? null];
}
