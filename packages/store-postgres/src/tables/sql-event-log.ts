import {
  type CallOptions,
  type DeadLetter,
  type Event,
  type EventLog,
  type EventQuery,
  type GroupCursor,
  mcpError,
  type Timestamp,
} from '@mcpinfra/core/plugin';
import type { Queryable, Row } from '../database/database.js';
import { Conditions } from '../sql/conditions.js';
import { eventStatements, type EventStatements } from '../sql/event-statements.js';
import { toJson } from '../sql/json.js';
import { prepared } from '../sql/statement.js';

/** The log of committed events. */
export class SqlEventLog implements EventLog {
  readonly #database: Queryable;
  readonly #schema: string;
  readonly #statements: EventStatements;
  readonly #onNumbered: () => void;
  /** The highest position that was ever seen here: none up to it is given again, whatever becomes of the database. */
  #known = 0;

  /** @param onNumbered - told when events can be read that could not before */
  constructor(database: Queryable, schema: string, onNumbered: () => void) {
    this.#database = database;
    this.#schema = schema;
    this.#statements = eventStatements(schema);
    this.#onNumbered = onNumbered;
  }

  async number(limit: number, options?: CallOptions): Promise<readonly Event[]> {
    for (;;) {
      const rows = await this.#database.query(this.#statements.number, [limit, this.#known], options);
      const numbered = rows.filter((row) => row['position'] !== null);
      if (numbered.length > 0) {
        this.#know(numbered.at(-1)?.['position']);
        this.#onNumbered();
        return numbered.map(eventOf);
      }
      // Another relay was faster, so this one looked at a log that was no more: look again.
      if (rows[0]?.['waiting'] !== 't') return [];
    }
  }

  async read(query: EventQuery, options?: CallOptions): Promise<readonly Event[]> {
    const { after } = query;
    const where = new Conditions();
    where.ask(after, (at) => `e.position > ${at}::bigint`);
    where.ask(query.upTo, (at) => `e.position <= ${at}::bigint`);
    where.ask(query.tenant, (at) => `e.tenant = ${at}::text`);
    where.ask(query.subject, (at) => `e.subject = ${at}::text`);
    where.ask(query.types, (at) => `e.type = any(${at}::text[])`);
    const statement = prepared(`select log.head, log.removed, e.position, e.resource_version, e.body
from ${this.#schema}.store log left join lateral (
  select position, resource_version, body from ${this.#schema}.events e
  where ${where.sql} order by e.position limit ${where.place(query.limit)}::bigint
) e on true order by e.position`);
    const rows = await this.#database.query(statement, where.values, options);
    this.#know(rows[0]?.['head']);
    const removed = Number(rows[0]?.['removed'] ?? 0);
    if (after < removed) {
      throw mcpError(
        'CURSOR_EXPIRED',
        `Events after position ${after} are asked for, but those up to ${removed} have been removed.`,
        { details: { after, oldest: removed + 1, head: Number(rows[0]?.['head'] ?? 0) } },
      );
    }
    return rows.filter((row) => row['position'] !== null).map(eventOf);
  }

  async head(options?: CallOptions): Promise<number> {
    const [row] = await this.#database.query(this.#statements.head, [], options);
    return this.#know(row?.['head']);
  }

  async cursor(group: string, options?: CallOptions): Promise<number | null> {
    const [row] = await this.#database.query(this.#statements.cursor, [group], options);
    return row === undefined ? null : Number(row['position']);
  }

  async saveCursor(group: string, position: number, options?: CallOptions): Promise<void> {
    await this.#database.query(this.#statements.saveCursor, [group, position], options);
  }

  async setCursor(group: string, position: number | null, options?: CallOptions): Promise<void> {
    if (position === null) await this.#database.query(this.#statements.forgetGroup, [group], options);
    else await this.#database.query(this.#statements.setCursor, [group, position], options);
  }

  async cursors(prefix: string, options?: CallOptions): Promise<readonly GroupCursor[]> {
    const rows = await this.#database.query(this.#statements.cursors, [prefix], options);
    return rows.map((row) => ({
      group: row['name'] ?? '',
      position: Number(row['position']),
      deadLetters: Number(row['dead_letters']),
    }));
  }

  async addDeadLetter(group: string, letter: DeadLetter, options?: CallOptions): Promise<void> {
    const values = [group, letter.event.position, toJson(letter)];
    await this.#database.query(this.#statements.addDeadLetter, values, options);
  }

  async deadLetters(
    group: string,
    { after, limit }: Pick<EventQuery, 'after' | 'limit'>,
    options?: CallOptions,
  ): Promise<readonly DeadLetter[]> {
    const rows = await this.#database.query(this.#statements.deadLetters, [group, after, limit], options);
    return rows.map((row) => JSON.parse(row['body'] ?? '') as DeadLetter);
  }

  async removeDeadLetter(group: string, position: number, options?: CallOptions): Promise<void> {
    await this.#database.query(this.#statements.removeDeadLetter, [group, position], options);
  }

  async trim(before: Timestamp, options?: CallOptions): Promise<number> {
    const [row] = await this.#database.query(this.#statements.trim, [before], options);
    return Number(row?.['count'] ?? 0);
  }

  #know(position: string | null | undefined): number {
    const seen = Number(position ?? 0);
    this.#known = Math.max(this.#known, seen);
    return seen;
  }
}

/** What a row holds is its draft; its position and version are given by the store. */
function eventOf(row: Row): Event {
  const draft = JSON.parse(row['body'] ?? '') as object;
  return Object.assign(draft, {
    position: Number(row['position']),
    resourceVersion: Number(row['resource_version']),
  }) as Event;
}
