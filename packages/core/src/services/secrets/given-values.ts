import { createScrubber } from '../../domain/secrets/scrub.js';
import type { Secret } from '../../domain/secrets/secret.js';

/**
 * So many different sets of values are remembered of an instance. One is over when the copy that has it has ended, long
 * before so many have followed; without a bound a host whose values change for ever would look for ever more of them.
 */
const mostGivings = 16;

/** The values that were handed out together. */
interface Giving {
  readonly values: readonly string[];
  /** The revisions they were given to, the newest last. */
  readonly revisions: readonly number[];
}

interface Given {
  /** The newest last. */
  readonly givings: readonly Giving[];
  readonly scrub: (text: string) => string;
}

/** What instances were given lately, to be taken out of what they say. */
export class GivenValues {
  readonly #given = new Map<string, Given>();

  get ids(): Iterable<string> {
    return this.#given.keys();
  }

  /** Whether the values of a revision are known. */
  has(instanceId: string, revision: number): boolean {
    return (
      this.#given.get(instanceId)?.givings.some((giving) => giving.revisions.includes(revision)) === true
    );
  }

  /** Remembers values, those before too: a copy that was replaced may still write what it was given. */
  add(instanceId: string, revision: number, given: ReadonlyMap<string, Secret>): void {
    const values = [...new Set([...given.values()].map((secret) => secret.reveal()))].sort();
    const before = this.#given.get(instanceId);
    const earlier = before?.givings ?? [];
    const same = earlier.find((giving) => areSame(giving.values, values));
    const others = earlier.filter((giving) => giving !== same);
    const revisions = [...new Set([...(same?.revisions ?? []), revision])].slice(-mostGivings);
    const givings = [...others, { values, revisions }].slice(-mostGivings);
    const scrub = before && same ? before.scrub : createScrubber(givings.flatMap((giving) => giving.values));
    this.#given.set(instanceId, { givings, scrub });
  }

  /** Replaces the values an instance was given by `[secret]`. */
  scrub(instanceId: string, text: string): string {
    return this.#given.get(instanceId)?.scrub(text) ?? text;
  }

  forget(instanceId: string): void {
    this.#given.delete(instanceId);
  }
}

function areSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((value, at) => value === other[at]);
}
