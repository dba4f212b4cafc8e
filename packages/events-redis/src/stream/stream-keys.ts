/** The keys of a fleet; the braces keep them on one node of a cluster. */
export interface StreamKeys {
  readonly events: string;
  readonly dead: string;
}

export function streamKeys(prefix: string, fleet: string): StreamKeys {
  return { events: `${prefix}:{${fleet}}:events`, dead: `${prefix}:{${fleet}}:dead` };
}
