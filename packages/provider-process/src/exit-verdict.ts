import { type ErrorCode, type ExitRecord, lastLogLines } from '@mcpinfra/core/plugin';

// The stack trace of an abort comes after its reason.
const readLines = 100;

/** Why the provider itself ended a run. */
export interface Verdict {
  readonly code: ErrorCode;
  /** Says what happened and what to change; becomes the last log line. */
  readonly sentence: string;
}

/** What is known of a run that ended. */
export interface ExitFacts {
  readonly at: Date;
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The lines of this run, scrubbed. */
  readonly lines: readonly string[];
  readonly verdict: Verdict | undefined;
  /** Whether it was asked to end: its exit then needs no reason. */
  readonly wasStopped: boolean;
}

/** Writes down how a run ended, with a narrower reason where the facts give one. */
export function toExitRecord(facts: ExitFacts): ExitRecord {
  const { at, exitCode, signal, verdict } = facts;
  const code = verdict?.code ?? (facts.wasStopped ? undefined : codeOf(facts));
  // A heap limit is the server's own; only a limit of ours ends it from outside.
  const oomKilled = verdict?.code === 'OUT_OF_MEMORY';
  return {
    at: at.toISOString(),
    exitCode,
    signal,
    oomKilled,
    lastLogLines: lastLogLines(facts.lines),
    ...(code === undefined ? {} : { code }),
  };
}

function codeOf({ exitCode, signal, lines }: ExitFacts): ErrorCode | undefined {
  const says = (text: RegExp): boolean => lines.slice(-readLines).some((line) => text.test(line));
  if (exitCode === 0) return undefined;
  // V8 aborts at its heap limit: exit 134 seen through a shell, SIGABRT seen directly, as for any failed assertion.
  if (exitCode === 134 || says(/heap out of memory/u)) return 'OUT_OF_MEMORY';
  if (signal === null && says(/EADDRINUSE|address already in use/iu)) return 'PORT_IN_USE';
  return undefined;
}
