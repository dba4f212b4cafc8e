/** What a plugin looks like when some of its members are replaced; the others stay its own. */
export function altered<T extends object>(plugin: T, change: (original: T) => Partial<T>): T {
  const changed: Partial<T> = change(plugin);
  return new Proxy(plugin, {
    get(target, key) {
      if (Object.hasOwn(changed, key)) return Reflect.get(changed, key);
      // Private members are seen by the object itself only, never by its proxy.
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
