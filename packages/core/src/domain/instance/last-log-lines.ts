const shownLines = 20;
const shownCharacters = 1_000;

/** The newest lines of a run for its exit record, cut: a record goes into a row and into events. */
export function lastLogLines(lines: readonly string[]): readonly string[] {
  return lines
    .slice(-shownLines)
    .map((line) => (line.length > shownCharacters ? `${line.slice(0, shownCharacters)} [cut]` : line));
}
