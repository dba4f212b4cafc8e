/** What a bench is asked. */
export interface BenchOptions {
  readonly rounds: number;
  /** What servers are run by, where a bench runs any. */
  readonly provider: 'docker' | 'process';
  /** Ends the bench early; it then cleans up and rejects. */
  readonly signal: AbortSignal;
}

/** What a bench found. */
export interface BenchReport {
  /** For people: a head and rows of as many columns. */
  readonly table: readonly (readonly string[])[];
  /** For programs, after the name of the bench: the last line of the output. */
  readonly result: {
    /** How far from the floor, as a multiple of it; whether `goal` is the most or the least, the bench's README says. */
    readonly ratio: number;
    readonly goal: number;
    /** Whether this and every other goal of the bench is met. */
    readonly ok: boolean;
    readonly [part: string]: unknown;
  };
}

/** Measures one thing against its floor. */
export type Bench = (options: BenchOptions) => Promise<BenchReport>;
