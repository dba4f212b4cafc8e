import { inSeconds } from '../../domain/in-seconds.js';
import { mcpError, MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { Event } from '../../domain/events/event.js';
import type { EventType } from '../../domain/events/event-map.js';
import { groupLease } from '../../domain/fleet/lease-names.js';
import { retryDelayMs } from '../../async/retry.js';
import type { Scope } from '../context/access.js';
import type { FleetCondition } from './fleet-condition.js';
import type { EventHub } from './event-hub.js';
import { type EventHandling, HandlerCalls } from './handler-calls.js';
import { type LogLook, lookAtLog, oldestOf } from './log-look.js';
import { ParkedEvents, type ParkedSubject } from './parked-events.js';
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
  /** Whether it begins there because that was before the oldest event that is kept. */
  readonly oldest: boolean;
  readonly types: readonly EventType[] | undefined;
  readonly labels: Readonly<Record<string, string>> | undefined;
  readonly handler: EventHandling;
}

const nothing: LogLook = { events: [], upTo: -1, more: false };
/** A handler that fails so often in a row for one event is no passing trouble. */
const reportedFailures = 3;
/** An event that failed so often is given up, if others have been handled meanwhile. */
const poisonousTries = 10;
/** An event that failed so often is given up in any case. */
const mostTries = 100;
/** With so many dead letters in store a group gives up no more: it waits for somebody to look. */
const mostDeadLetters = 1_000;
// Events wake a subscription at once; where they are late or lost, the log is read again after this time.
const lookAgainMs = 1_000;

/**
 * Hands the events of the log to a handler, in one process at a time: the one that holds the lease of the group.
 *
 * An event whose handler fails is handed over again after a back-off; later events of its subject wait for it, those of
 * other subjects do not. One that fails again and again while others are handled becomes a dead letter. The saved cursor
 * never passes an event that is neither, and moves on over what is not asked for.
 */
export class Subscription {
  readonly #parts: SubscriptionParts;
  readonly #request: SubscriptionRequest;
  readonly #parked = new ParkedEvents();
  #handled = 0;
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
        const message = `Its handler has been at one event for ${inSeconds(lateMs)}; all others wait for it.`;
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
    const off = hub.on('*', scope, ({ type }) => {
      if (this.#request.types?.includes(type) !== false) news.abort();
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
    const failing = `Its handler fails; events of ${String(this.#parked.subjects)} subjects wait for it.`;
    const trouble = this.#parked.mostFailures < reportedFailures ? this.#trouble : failing;
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
    const look = this.#parked.isFull ? nothing : await this.#look(this.#after, signal);
    for (const event of look.events) {
      if (isAborted(signal) || !this.#isMine()) break;
      if (matches(event, this.#request.labels)) await this.#take(event, signal);
      if (isAborted(signal)) break;
      this.#after = event.position;
    }
    const last = look.events.at(-1)?.position ?? this.#after;
    if (this.#after === last) this.#after = Math.max(last, look.upTo);
    await this.#save();
    return look.more && !this.#parked.isFull;
  }

  #isMine(): boolean {
    return this.#parts.claims.holds(this.#lease);
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
  async #look(after: number, signal: AbortSignal): Promise<LogLook> {
    const { context, scope } = this.#parts;
    const { group, types, oldest } = this.#request;
    const log = context.store.events;
    try {
      return await lookAtLog(log, { after, tenant: scope ?? undefined, types }, { signal });
    } catch (error) {
      const isExpired = MCPInfraError.isInstance(error) && error.code === 'CURSOR_EXPIRED';
      if (signal.aborted || !isExpired) {
        this.#trouble = `The event log could not be read: ${messageOf(error)}`;
        return nothing;
      }
      // It asked for the oldest event that is kept, and that is another one by now.
      if (oldest && after === this.#request.start)
        return { events: [], upTo: oldestOf(error) - 1, more: true };
      context.logger.error('a subscription fell behind the event log', { group });
      throw missed(group, after, error);
    }
  }

  async #take(event: Event, signal: AbortSignal): Promise<void> {
    if (this.#parked.join(event)) return;
    const handledBefore = this.#handled;
    if ((await this.#handle(event, signal)) === undefined) return;
    this.#parked.park(event, { dueMs: this.#dueMs(1), handledBefore });
  }

  /** Tries again what is due, and what waits behind it. */
  async #retry(signal: AbortSignal): Promise<void> {
    for (const parked of this.#parked.due(this.#parts.context.clock.monotonicMs())) {
      for (let event = parked.events[0]; event !== undefined; event = parked.events[0]) {
        if (isAborted(signal) || !this.#isMine()) return;
        const failure = await this.#handle(event, signal);
        if (isAborted(signal)) return;
        if (failure !== undefined) {
          parked.failures += 1;
          parked.dueMs = this.#dueMs(parked.failures);
          if (!this.#isHopeless(parked) || !(await this.#giveUp(event, parked.failures, failure))) break;
        }
        this.#parked.shift(parked, this.#handled);
      }
    }
  }

  #isHopeless({ failures, handledBefore }: ParkedSubject): boolean {
    // Where nothing else is handled either it is not the event: what the handler needs may be away.
    return failures >= poisonousTries && (this.#handled > handledBefore || failures >= mostTries);
  }

  /** Makes an event a dead letter. @returns whether it is kept as one */
  async #giveUp(event: Event, tries: number, error: string): Promise<boolean> {
    const { context } = this.#parts;
    const { group } = this.#request;
    const log = context.store.events;
    try {
      const there = await log.deadLetters(group, { after: 0, limit: mostDeadLetters });
      if (there.length >= mostDeadLetters) {
        this.#trouble = `It has ${String(mostDeadLetters)} dead letters and gives up no more events; see to them.`;
        return false;
      }
      await log.addDeadLetter(group, {
        event,
        error,
        tries,
        at: new Date(context.clock.now()).toISOString(),
      });
      context.logger.error('an event that always fails was given up', {
        group,
        type: event.type,
        subject: event.subject,
        position: event.position,
        error,
      });
      return true;
    } catch (failure) {
      this.#trouble = `An event could not be given up: ${messageOf(failure)}`;
      return false;
    }
  }

  #dueMs(failures: number): number {
    const { clock, random } = this.#parts.context;
    return clock.monotonicMs() + retryDelayMs(failures + 1, random());
  }

  /** @returns why it failed */
  async #handle(event: Event, signal: AbortSignal): Promise<string | undefined> {
    try {
      await this.#calls.call(event, { signal });
      this.#handled += 1;
      return undefined;
    } catch (error) {
      if (!signal.aborted) {
        this.#parts.context.logger.warn('a subscriber failed and is called again', {
          group: this.#request.group,
          type: event.type,
          subject: event.subject,
          error: messageOf(error),
        });
      }
      return messageOf(error);
    }
  }

  async #save(): Promise<void> {
    const position = Math.min(this.#after ?? -1, this.#parked.oldest - 1);
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
    const waitMs = this.#parked.nextMs - this.#parts.context.clock.monotonicMs();
    return Math.max(0, Math.min(lookAgainMs, waitMs));
  }
}

function matches(event: Event, labels: Readonly<Record<string, string>> | undefined): boolean {
  if (labels === undefined) return true;
  const own: Readonly<Record<string, string>> = 'labels' in event.data ? event.data.labels : {};
  return Object.entries(labels).every(([name, value]) => own[name] === value);
}

function missed(group: string, after: number, cause: MCPInfraError): MCPInfraError {
  const name = group.slice(group.indexOf('/') + 1);
  return mcpError(
    'CURSOR_EXPIRED',
    `The group ${JSON.stringify(name)} has handled events up to position ${String(after)}; those up to ` +
      `${String(oldestOf(cause) - 1)} are no longer kept. List what there is afresh, then go on with what is kept by ` +
      `events.groups.seek('${name}', 'beginning').`,
    { cause, details: cause.details },
  );
}
