import assert from 'node:assert/strict';
import type { Event } from '@mcpinfra/core/plugin';

/** A handler that keeps what it is handed. */
export class Inbox {
  readonly events: Event[] = [];
  readonly take = (event: Event): void => void this.events.push(event);

  /** How often it was handed an event. */
  timesOf({ id }: Event): number {
    return this.events.filter((event) => event.id === id).length;
  }
}

/** A handler that ends no call before it is released. */
export class HeldHandler {
  started = 0;
  ended = 0;
  release: () => void = () => undefined;
  readonly #released = new Promise<void>((resolve) => {
    this.release = resolve;
  });

  readonly handle = async (): Promise<void> => {
    this.started += 1;
    await this.#released;
    this.ended += 1;
  };
}

/** A handler that rejects until it is told to take what it is handed. */
export class RejectingHandler {
  readonly refused: Event[] = [];
  readonly taken: Event[] = [];
  rejects: (event: Event) => boolean;

  constructor(rejects: (event: Event) => boolean = () => true) {
    this.rejects = rejects;
  }

  readonly handle = async (event: Event): Promise<void> => {
    if (!this.rejects(event)) {
      this.taken.push(event);
      return;
    }
    this.refused.push(event);
    throw new assert.AssertionError({ message: 'this handler rejects, as the case wants it' });
  };
}

/** Fails unless exactly these events came, however often and in whichever order. */
export function assertReceived(received: readonly Event[], expected: readonly Event[], who: string): void {
  const got = new Set(received.map(({ id }) => id));
  const wanted = new Set(expected.map(({ id }) => id));
  const missing = expected.filter(({ id }) => !got.has(id));
  const foreign = received.filter(({ id }) => !wanted.has(id));
  assert.ok(missing.length === 0, `${who} misses ${missing.length} of ${expected.length}: ${list(missing)}`);
  assert.ok(foreign.length === 0, `${who} got what was not for it: ${list(foreign)}`);
}

/** Fails unless exactly these events came, each once. */
export function assertReceivedOnce(
  received: readonly Event[],
  expected: readonly Event[],
  who: string,
): void {
  assertReceived(received, expected, who);
  const ids = received.map(({ id }) => id);
  const again = received.filter(({ id }, index) => ids.indexOf(id) !== index);
  assert.ok(again.length === 0, `${who} got ${again.length} more than once: ${list(again)}`);
}

function list(events: readonly Event[]): string {
  const some = events.slice(0, 3).map(({ type, id }) => `${type} ${id}`);
  return some.join(', ') + (events.length > some.length ? ', …' : '');
}
