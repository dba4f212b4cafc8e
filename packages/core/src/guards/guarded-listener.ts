import type { Unsubscribe } from '../ports/common.js';
import type { Guard } from './guard.js';

/**
 * Has a plugin call back a listener that it can neither be hurt by nor reach after the end of the registration.
 *
 * @throws `NOT_STARTED`, `ALREADY_STOPPED`, or what `watch` threw as an error of this library
 */
export function guardedListener<A extends readonly unknown[], TOpened>(
  guard: Guard<TOpened>,
  listener: (...args: A) => void,
  watch: (guarded: (...args: A) => void) => Unsubscribe,
): Unsubscribe {
  guard.assertOpen('watch');
  let ended = false;
  const attempt = (doing: string, work: () => void): void => {
    try {
      work();
    } catch (error) {
      guard.warn(`${doing} failed`, error);
    }
  };
  let unsubscribe: Unsubscribe;
  try {
    unsubscribe = watch((...args) => {
      if (!ended) attempt('A listener of watch()', () => listener(...args));
    });
    guard.atOnce('watch', unsubscribe, {
      expected: 'a function that ends it',
      fits: isEnd,
      onLate: (end) => {
        if (isEnd(end)) end();
      },
    });
  } catch (error) {
    ended = true;
    throw guard.named('watch', error);
  }
  return () => {
    if (ended) return;
    ended = true;
    guard.letGo('Ending watch()', unsubscribe);
  };
}

function isEnd(value: unknown): value is Unsubscribe {
  return typeof value === 'function';
}
