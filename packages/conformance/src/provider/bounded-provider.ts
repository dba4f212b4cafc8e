import type { Provider } from '@mcpinfra/core/plugin';
import { within } from '../within.js';

/** The provider as it is, but for its promises: one that does not settle fails the case and does not hang it. */
export function boundedProvider(provider: Provider, patienceMs: number): Provider {
  return new Proxy(provider, {
    get(target, name): unknown {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...given: readonly unknown[]): unknown => {
        const result: unknown = Reflect.apply(member, target, given);
        return result instanceof Promise ? within(patienceMs, `${String(name)}()`, result) : result;
      };
    },
  });
}
