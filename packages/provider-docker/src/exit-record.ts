import { constants } from 'node:os';
import { type ErrorCode, type ExitRecord, lastLogLines } from '@mcpinfra/core/plugin';

/** How many lines are read to tell why a server ended: the stack trace of an abort comes after its reason. */
export const readLines = 100;

/** What is known of a container that ended. */
export interface ExitFacts {
  readonly finishedAt: string;
  readonly exitCode: number;
  /** Whether the engine says that the memory limit ended it. */
  readonly oomKilled: boolean;
  /** Whether the engine ended it by coming back without it. */
  readonly withEngine: boolean;
  /** The lines of this run, scrubbed. */
  readonly lines: readonly string[];
}

/** Writes down how a container ended, with a narrower reason where the facts give one. */
export function toExitRecord(facts: ExitFacts): ExitRecord {
  const code = codeOf(facts);
  return {
    at: new Date(facts.finishedAt).toISOString(),
    exitCode: facts.exitCode,
    signal: signalOf(facts.exitCode),
    oomKilled: facts.oomKilled,
    lastLogLines: lastLogLines(facts.lines),
    ...(code === undefined ? {} : { code }),
  };
}

function codeOf({ exitCode, oomKilled, withEngine, lines }: ExitFacts): ErrorCode | undefined {
  const says = (text: RegExp): boolean => lines.some((line) => text.test(line));
  if (oomKilled) return 'OUT_OF_MEMORY';
  if (withEngine) return 'ENGINE_RESTARTED';
  // V8 aborts at its heap limit, which no engine sees.
  if (exitCode === 134 || (exitCode !== 0 && says(/heap out of memory/u))) return 'OUT_OF_MEMORY';
  // The command is started by the engine's init: tini of Docker, catatonit of Podman.
  if (exitCode === 127 && says(/^\[FATAL tini .*failed: No such file|catatonit.*No such file/u))
    return 'COMMAND_NOT_FOUND';
  if (
    (exitCode === 126 || exitCode === 127) &&
    says(/^\[FATAL tini .*failed: (?:Permission denied|Exec format error)|catatonit.*Permission denied/u)
  )
    return 'COMMAND_NOT_EXECUTABLE';
  return undefined;
}

/** Shells and init programs report the end by a signal as 128 and its number. */
function signalOf(exitCode: number): string | null {
  const number = exitCode - 128;
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? null;
}
