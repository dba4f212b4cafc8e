import { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { Event } from '../../domain/events/event.js';
import type { EventType } from '../../domain/events/event-map.js';
import { groupLease } from '../../domain/fleet/lease-names.js';
import { retryDelayMs } from '../../async/retry.js';
import type { Scope } from '../context/access.js';
import type { FleetCondition } from './fleet-condition.js';
import type { EventHub } from './event-hub.js';
import { type EventHandling, HandlerCalls } from './handler-calls.js';
import type { ServiceContext } from '../context/service-context.js';
import { isAborted } from '../../async/abort.js';
import { sleep } from '../../async/sleep.js';
import type { Claims } from '../context/ownership.js';

/** What a {@link Subscription} is made of. */
export interface SubscriptionParts {
  readonly context: ServiceContext;
  readonly hub: EventHub;
  readonly condition: FleetCondition;
  readonly claims: Claims;
  readonly scope: Scope;
}

/** Which events are handled, and by what. */
export interface SubscriptionRequest {
  /** The name of the group, its scope included. */
  readonly group: string;
  /** Where the group begins when it is new. */
  readonly start: number;
  readonly types: readonly EventType[] | undefined;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly handler: EventHandling;
}

/** A subject whose first event could not be handled, with what came after it. */
interface Parked {
  readonly events: Event[];
  failures: number;
  dueMs: number;
}

const page = 200;
/** So many events may wait for a failing handler before no more are read. */
const mostParked = 1_000;
/** A handler that fails so often in a row for one event is no passing trouble. */
const reportedFailures = 3;
// Events wake a subscription at once; where they are late or lost, the log is read again after this time.
const lookAgainMs = 1_000;

/**
 * Hands the events of the log to a handler, in one process at a time: the one that holds the lease of the group.
 *
 * An event whose handler fails is handed over again after a back-off; later events of its subject wait for it, those of
 * other subjects do not. The saved cursor never passes an event that has not been handled.
 */
export class Subscription {
  readonly #parts: SubscriptionParts;
  readonly #request: SubscriptionRequest;
  readonly #parked = new Map<string, Parked>();
  readonly #lease: string;
  readonly #calls: HandlerCalls;
  /** Everything up to here has been read; `undefined` while another process handles the group. */
  #after: number | undefined;
  #saved = -1;
  /** Why it does not go on, though its handler is well. */
  #trouble: string | undefined;

  constructor(parts: SubscriptionParts, request: SubscriptionRequest) {
    this.#parts = parts;
    this.#request = request;
    this.#lease = groupLease(request.group);
    this.#calls = new HandlerCalls(request.handler, {
      clock: parts.context.clock,
      onLate: (lateMs) => {
        const message = `Its handler has been at one event for ${lateMs / 1_000} s; all others wait for it.`;
        parts.condition.report(this.#part, false, message);
      },
    });
  }

  /** Whether whoever asks was called by the handler. */
  get isInHandler(): boolean {
    return this.#calls.isInside;
  }

  /** Runs until the signal fires. @throws `CURSOR_EXPIRED` */
  async run(signal: AbortSignal): Promise<void> {
    const { context, hub, claims, scope } = this.#parts;
    let news = new AbortController();
    const off = hub.on('*', scope, () => {
      news.abort();
    });
    await claims.claim(this.#lease);
    try {
      while (!isAborted(signal)) {
        // From before the read on: what is committed while events are handled must not wait for the next look.
        news = new AbortController();
        const more = await this.#step(signal);
        this.#report();
        if (more) continue;
        await sleep(context.clock, this.#restMs(), signal, news.signal);
      }
      this.#parts.condition.report(this.#part, true);
    } catch (error) {
      this.#parts.condition.report(this.#part, false, `It has ended: ${messageOf(error)}`);
      throw error;
    } finally {
      off();
      await claims.unclaim(this.#lease);
    }
  }

  #report(): void {
    const waiting = [...this.#parked.values()];
    const most = Math.max(0, ...waiting.map(({ failures }) => failures));
    const failing = `Its handler fails; events of ${String(waiting.length)} subjects wait for it.`;
    const trouble = most < reportedFailures ? this.#trouble : failing;
    this.#parts.condition.report(this.#part, trouble === undefined, trouble);
  }

  get #part(): string {
    return `subscription:${this.#request.group}`;
  }

  /** @returns whether there is more to do at once */
  async #step(signal: AbortSignal): Promise<boolean> {
    this.#trouble = undefined;
    if (!this.#isMine()) {
      // What was parked is read again by whoever goes on from the saved cursor.
      this.#after = undefined;
      this.#parked.clear();
      return false;
    }
    this.#after ??= await this.#resume(signal);
    if (this.#after === undefined) return false;
    await this.#retry(signal);
    const events = this.#isFull() ? [] : await this.#read(this.#after, signal);
    for (const event of events) {
      if (isAborted(signal) || !this.#isMine()) break;
      if (matches(event, this.#request.labels)) await this.#take(event, signal);
      if (isAborted(signal)) break;
      this.#after = event.position;
    }
    await this.#save();
    return events.length === page && !this.#isFull();
  }

  #isMine(): boolean {
    return this.#parts.claims.holds(this.#lease);
  }

  #isFull(): boolean {
    let parked = 0;
    for (const { events } of this.#parked.values()) parked += events.length;
    return parked >= mostParked;
  }

  /** Where the group was left, by whichever process. */
  async #resume(signal: AbortSignal): Promise<number | undefined> {
    try {
      const saved = await this.#parts.context.store.events.cursor(this.#request.group, { signal });
      this.#saved = saved ?? -1;
      return saved ?? this.#request.start;
    } catch (error) {
      this.#trouble = `Where it was left could not be read: ${messageOf(error)}`;
      return undefined;
    }
  }

  /** What comes next in the log; nothing while the store does not answer. */
  async #read(after: number, signal: AbortSignal): Promise<readonly Event[]> {
    const { context, scope } = this.#parts;
    const { group, types } = this.#request;
    try {
      return await context.store.events.read(
        { after, tenant: scope ?? undefined, types, limit: page },
        { signal },
      );
    } catch (error) {
      if (!signal.aborted && MCPInfraError.isInstance(error) && error.code === 'CURSOR_EXPIRED') {
        context.logger.error('a subscription fell behind the event log', { group });
        throw error;
      }
      this.#trouble = `The event log could not be read: ${messageOf(error)}`;
      return [];
    }
  }

  async #take(event: Event, signal: AbortSignal): Promise<void> {
    const parked = this.#parked.get(event.subject);
    if (parked) {
      parked.events.push(event);
      return;
    }
    if (await this.#handle(event, signal)) return;
    this.#parked.set(event.subject, { events: [event], failures: 1, dueMs: this.#dueMs(1) });
  }

  /** Tries again what is due, and what waits behind it. */
  async #retry(signal: AbortSignal): Promise<void> {
    for (const [subject, parked] of this.#parked) {
      if (parked.dueMs > this.#parts.context.clock.monotonicMs()) continue;
      for (let event = parked.events[0]; event !== undefined; event = parked.events[0]) {
        if (isAborted(signal) || !this.#isMine()) return;
        if (!(await this.#handle(event, signal))) {
          parked.failures += 1;
          parked.dueMs = this.#dueMs(parked.failures);
          break;
        }
        parked.events.shift();
        parked.failures = 0;
      }
      if (parked.events.length === 0) this.#parked.delete(subject);
    }
  }

  #dueMs(failures: number): number {
    const { clock, random } = this.#parts.context;
    return clock.monotonicMs() + retryDelayMs(failures + 1, random());
  }

  async #handle(event: Event, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#calls.call(event, { signal });
      return true;
    } catch (error) {
      if (!signal.aborted) {
        this.#parts.context.logger.warn('a subscriber failed and is called again', {
          group: this.#request.group,
          type: event.type,
          subject: event.subject,
          error: messageOf(error),
        });
      }
      return false;
    }
  }

  async #save(): Promise<void> {
    const unhandled = [...this.#parked.values()].map(({ events }) => events[0]?.position ?? Infinity);
    const position = Math.min(this.#after ?? -1, ...unhandled.map((at) => at - 1));
    if (position <= this.#saved) return;
    const { context } = this.#parts;
    try {
      await context.store.events.saveCursor(this.#request.group, position);
      this.#saved = position;
    } catch (error) {
      // The next save makes up for it; until then a restart would only repeat some events.
      this.#trouble = `How far it is was not kept, so that a restart would repeat events: ${messageOf(error)}`;
    }
  }

  #restMs(): number {
    const due = [...this.#parked.values()].map(({ dueMs }) => dueMs);
    return Math.max(
      0,
      Math.min(lookAgainMs, ...due.map((at) => at - this.#parts.context.clock.monotonicMs())),
    );
  }
}

function matches(event: Event, labels: Readonly<Record<string, string>> | undefined): boolean {
  if (labels === undefined) return true;
  const own: Readonly<Record<string, string>> = 'labels' in event.data ? event.data.labels : {};
  return Object.entries(labels).every(([name, value]) => own[name] === value);
}
