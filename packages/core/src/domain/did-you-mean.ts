/**
 * Gives the candidate a mistyped word most likely stands for, or `undefined` where none is near.
 *
 * Case and the signs between words do not count, so `memoryLimit` finds `memory_limit`; a word of three letters or more
 * also finds the candidate it begins, so `env` finds `environment`.
 */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = normalised(word);
  if (wanted === '' || wanted.length > 64) return undefined;
  const tolerated = Math.max(1, Math.floor(wanted.length / 3));
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const known = normalised(candidate);
    const begins = wanted.length >= 3 && known.startsWith(wanted);
    const distance = begins
      ? Math.min(1, known.length - wanted.length)
      : editDistance(wanted, known, tolerated);
    if (distance <= tolerated && distance < bestDistance && distance < known.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Says which candidate a mistyped word most likely stands for, or something else where none is near. */
export function meantOr(word: string, candidates: Iterable<string>, otherwise: string): string {
  const meant = didYouMean(word, candidates);
  return meant === undefined ? otherwise : `Did you mean "${meant}"?`;
}

function normalised(word: string): string {
  return word.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');
}

/** Insertions, deletions, replacements and swaps of neighbours between two words; stops counting past `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(beforeLast, j - 2) + 1 : Infinity;
      row.push(Math.min(replaced, at(last, j) + 1, at(row, j - 1) + 1, swapped));
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
