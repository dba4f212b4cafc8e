/** What is measured, each under its name. */
export type Sides<K extends string, T> = Readonly<Record<K, () => Promise<T>>>;

/**
 * Measures every side once in each round, in the other order every other round, so that whatever the machine does
 * meanwhile falls on all of them.
 *
 * A round before the first is not counted: it loads code and fills caches.
 */
export async function interleave<K extends string, T>(
  sides: Sides<K, T>,
  { rounds, signal }: { readonly rounds: number; readonly signal: AbortSignal },
): Promise<Readonly<Record<K, readonly T[]>>> {
  const names = Object.keys(sides) as K[];
  const samples = Object.fromEntries(names.map((name): [K, T[]] => [name, []])) as Record<K, T[]>;
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      signal.throwIfAborted();
      const sample = await sides[name]();
      if (round > 0) samples[name].push(sample);
    }
  }
  return samples;
}
