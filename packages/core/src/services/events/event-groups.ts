import { randomUUID } from 'node:crypto';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import { groupLease } from '../../domain/fleet/lease-names.js';
import type { CallOptions } from '../../ports/common.js';
import type { DeadLetter, EventLog } from '../../ports/store.js';
import { refuseUnknownOptions } from '../context/known-options.js';
import type { Scope } from '../context/access.js';
import type { ServiceContext } from '../context/service-context.js';
import { beforeOldest } from './log-look.js';

/**
 * A place in the event log: before the oldest event that is kept (`beginning`), behind the newest (`now`), or behind the
 * event of a position.
 */
export type LogPlace = 'beginning' | 'now' | number;

/** A group of durable subscriptions, whether or not one is running. */
export interface EventGroup {
  readonly group: string;
  /** Everything up to here is handled. */
  readonly position: number;
  /** How many events of the log come after it, whether or not it asks for them. */
  readonly behind: number;
  /** How many events it could not handle and has given up. */
  readonly deadLetters: number;
}

const ttlMs = 15_000;
const most = 1_000;

/** The groups of a fleet's durable subscriptions, as far as its scope goes. */
export class EventGroups {
  readonly #context: ServiceContext;
  readonly #scope: Scope;

  private constructor(context: ServiceContext, scope: Scope) {
    this.#context = context;
    this.#scope = scope;
  }

  /** @internal */
  static of(context: ServiceContext, scope: Scope): EventGroups {
    return new EventGroups(context, scope);
  }

  /** Every group that has begun, by name. */
  async list(options: CallOptions = {}): Promise<readonly EventGroup[]> {
    refuseUnknownOptions('events.groups.list()', options, ['signal']);
    const prefix = groupName(this.#scope, '');
    const cursors = await this.#log.cursors(prefix, options);
    const head = await this.#log.head(options);
    return cursors.map(({ group, position, deadLetters }) => ({
      group: group.slice(prefix.length),
      position,
      behind: Math.max(0, head - position),
      deadLetters,
    }));
  }

  /**
   * Moves a group, back or forth: that is where its next subscription goes on.
   *
   * @throws `NOT_FOUND`, `CONFLICT` while a subscription of it is running in any process, `INVALID_ARGUMENT`, `CURSOR_EXPIRED` for a position that is no longer kept
   */
  async seek(group: string, to: LogPlace, options: CallOptions = {}): Promise<void> {
    refuseUnknownOptions('events.groups.seek()', options, ['signal']);
    await this.#alone(group, options, async (name) => {
      await this.#log.setCursor(name, await positionOf(this.#log, to, options), options);
    });
  }

  /**
   * Forgets a group and its dead letters. Absent resolves.
   *
   * @throws `CONFLICT` while a subscription of it is running in any process
   */
  async delete(group: string, options: CallOptions = {}): Promise<void> {
    refuseUnknownOptions('events.groups.delete()', options, ['signal']);
    if (await this.#exists(group, options))
      await this.#alone(group, options, (name) => this.#log.setCursor(name, null, options));
  }

  /** The events that a group has given up, oldest first, at most 1,000. They are kept until they are discarded. */
  async deadLetters(group: string, options: CallOptions = {}): Promise<readonly DeadLetter[]> {
    refuseUnknownOptions('events.groups.deadLetters()', options, ['signal']);
    return this.#log.deadLetters(groupName(this.#scope, group), { after: 0, limit: most }, options);
  }

  /** Drops the dead letter of a position. Absent resolves. */
  async discard(group: string, position: number, options: CallOptions = {}): Promise<void> {
    refuseUnknownOptions('events.groups.discard()', options, ['signal']);
    await this.#log.removeDeadLetter(groupName(this.#scope, group), position, options);
  }

  get #log(): EventLog {
    return this.#context.store.events;
  }

  async #exists(group: string, options: CallOptions | undefined): Promise<boolean> {
    return (await this.#log.cursor(groupName(this.#scope, group), options)) !== null;
  }

  /** Works on a group while no process handles it: what one has under way would be saved over the work. */
  async #alone(
    group: string,
    options: CallOptions | undefined,
    work: (name: string) => Promise<void>,
  ): Promise<void> {
    const name = groupName(this.#scope, group);
    if (!(await this.#exists(group, options)))
      throw mcpError('NOT_FOUND', `There is no group ${JSON.stringify(group)} of subscriptions.`);
    const { leases } = this.#context.store;
    const holder = { id: `seek:${randomUUID()}`, ttlMs };
    const taken = await leases.acquire([groupLease(name)], holder, options);
    if (taken.length === 0) {
      throw mcpError(
        'CONFLICT',
        `A subscription of the group ${JSON.stringify(group)} is running; close it first, in every process.`,
      );
    }
    try {
      await work(name);
    } finally {
      await leases.release([groupLease(name)], holder.id);
    }
  }
}

/** The name of a group in the store. */
export function groupName(scope: Scope, group: string): string {
  return `${scope ?? '*'}/${group}`;
}

/**
 * The position of a place.
 *
 * @throws `INVALID_ARGUMENT` for what is none, `CURSOR_EXPIRED` for what is no longer kept
 */
export async function positionOf(log: EventLog, place: LogPlace, options?: CallOptions): Promise<number> {
  if (place === 'beginning') return beforeOldest(log, options);
  refuseNoPlace(place);
  const head = await log.head(options);
  if (place === 'now') return head;
  if (place > head) throw noPlace(place, `a position up to ${String(head)}, where it ends`);
  // Refuses what is no longer kept.
  await log.read({ after: place, upTo: place, limit: 1 }, options);
  return place;
}

/** @throws `INVALID_ARGUMENT` for what cannot be a place, whatever the log has */
export function refuseNoPlace(place: LogPlace): void {
  if (place === 'beginning' || place === 'now') return;
  if (!Number.isSafeInteger(place) || place < 0) throw noPlace(place, 'a position, 0 or higher');
}

function noPlace(place: unknown, position: string): Error {
  return mcpError(
    'INVALID_ARGUMENT',
    `A place in the event log is 'beginning', 'now' or ${position}, not ${shown(place)}.`,
  );
}

function shown(place: unknown): string {
  return typeof place === 'string' ? JSON.stringify(place) : String(place);
}
