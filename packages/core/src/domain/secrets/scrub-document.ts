/** Gives a JSON value with all its texts scrubbed, the names of members included; numbers and the like stay. */
export function scrubDocument<T>(document: T, scrub: (text: string) => string): T {
  return scrubbed(document, scrub) as T;
}

function scrubbed(value: unknown, scrub: (text: string) => string): unknown {
  if (typeof value === 'string') return scrub(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => scrubbed(item, scrub));
  const members = Object.entries(value).map(([name, item]: [string, unknown]) => [
    scrub(name),
    scrubbed(item, scrub),
  ]);
  return Object.fromEntries(members) as unknown;
}
