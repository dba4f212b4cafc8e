import type { Event } from '../../domain/events/event.js';

/** A subject whose first event could not be handled, with what came after it. */
export interface ParkedSubject {
  readonly events: Event[];
  /** How often the first event has failed. */
  failures: number;
  dueMs: number;
  /** How many events of others had been handled when the first event failed first. */
  handledBefore: number;
}

/** So many events may wait for a failing handler before no more are read. */
const most = 1_000;

/** The events of a subscription that wait for one before them to be handled. */
export class ParkedEvents {
  readonly #subjects = new Map<string, ParkedSubject>();

  /** Lines an event up behind those of its subject; `false` where none waits. */
  join(event: Event): boolean {
    const parked = this.#subjects.get(event.subject);
    parked?.events.push(event);
    return parked !== undefined;
  }

  park(event: Event, { dueMs, handledBefore }: Pick<ParkedSubject, 'dueMs' | 'handledBefore'>): void {
    this.#subjects.set(event.subject, { events: [event], failures: 1, dueMs, handledBefore });
  }

  /** The subjects whose time has come. */
  due(nowMs: number): readonly ParkedSubject[] {
    return [...this.#subjects.values()].filter(({ dueMs }) => dueMs <= nowMs);
  }

  /** Takes the first event away; the next one has not failed yet. */
  shift(parked: ParkedSubject, handledBefore: number): void {
    const [first] = parked.events.splice(0, 1);
    parked.failures = 0;
    parked.handledBefore = handledBefore;
    if (first !== undefined && parked.events.length === 0) this.#subjects.delete(first.subject);
  }

  clear(): void {
    this.#subjects.clear();
  }

  get isFull(): boolean {
    let parked = 0;
    for (const { events } of this.#subjects.values()) parked += events.length;
    return parked >= most;
  }

  get subjects(): number {
    return this.#subjects.size;
  }

  get mostFailures(): number {
    return Math.max(0, ...[...this.#subjects.values()].map(({ failures }) => failures));
  }

  /** Everything before it has been handled, as far as it was taken. */
  get oldest(): number {
    return Math.min(
      Infinity,
      ...[...this.#subjects.values()].map(({ events }) => events[0]?.position ?? Infinity),
    );
  }

  /** When something is tried again next. */
  get nextMs(): number {
    return Math.min(Infinity, ...[...this.#subjects.values()].map(({ dueMs }) => dueMs));
  }
}
