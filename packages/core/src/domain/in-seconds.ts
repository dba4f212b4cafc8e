/** A time in milliseconds as people are told it: in seconds, with two or three digits that mean something. */
export function inSeconds(timeMs: number): string {
  const seconds = timeMs / 1_000;
  if (seconds >= 100) return `${Math.round(seconds)} s`;
  return `${Number(seconds.toPrecision(seconds < 10 ? 2 : 3))} s`;
}
