import type { JsonSpec, Provider } from '../plugin.js';
import type { FakeProvider } from './fake-controls.js';

/** A fake with some of its methods replaced; the controls stay those of the fake. For tests of this package. */
export function alteredFake<TSpec extends JsonSpec>(
  fake: FakeProvider<TSpec>,
  methods: Partial<Provider<TSpec>>,
): FakeProvider<TSpec> {
  return new Proxy(fake, {
    get(target, key) {
      if (Object.hasOwn(methods, key)) return Reflect.get(methods, key) as unknown;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
    has: (target, key) => key in target || key in methods,
  });
}
