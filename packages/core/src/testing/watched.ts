import type { Clock } from '../plugin.js';
import type { Activity } from './activity.js';

/** Notes every call of a plugin, in the objects it consists of too; what a call returns is followed to its end. */
export function watchedPlugin<T extends object>(plugin: T, name: string, activity: Activity): T {
  return new Proxy(plugin, {
    get(target, key) {
      // Private members are seen by the object itself only, never by its proxy.
      const value: unknown = Reflect.get(target, key, target);
      if (typeof key === 'symbol') return value;
      const what = `${name}.${key}`;
      if (typeof value === 'object' && value !== null) return watchedPlugin(value, what, activity);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]): unknown => {
        const result: unknown = Reflect.apply(value, target, args);
        if (result instanceof Promise) activity.follow(what, result);
        return result;
      };
    },
  });
}

/** Notes every use of a clock's timers. */
export function watchedClock(clock: Clock, activity: Activity): Clock {
  return {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    schedule(delayMs, callback) {
      activity.note('a timer');
      const cancel = clock.schedule(delayMs, callback);
      return () => {
        activity.note('a timer');
        cancel();
      };
    },
  };
}
