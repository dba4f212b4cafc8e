/** Writes a point in time as the library does, whatever the session's settings are. */
export function timestamp(expression: string): string {
  return `to_char((${expression}) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
