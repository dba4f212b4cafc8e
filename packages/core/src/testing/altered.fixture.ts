/** A plugin with some of its methods replaced; everything else stays that of the plugin. */
export function altered<T extends object>(plugin: T, methods: Partial<T>): T {
  return new Proxy(plugin, {
    get(target, key) {
      if (Object.hasOwn(methods, key)) return Reflect.get(methods, key) as unknown;
      // Private members are seen by the object itself only, never by its proxy.
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
    has: (target, key) => key in target || key in methods,
  });
}
