import { inspect } from 'node:util';
import { mcpError } from '@mcpinfra/core/plugin';

/** What a test runner hands to a running test: those of vitest and of node:test have this shape. */
export interface RunningTest {
  skip(reason?: string): unknown;
}

/** The caller's test function, such as `it` of vitest or `test` of node:test. */
export type RegisterTest = (name: string, run: (test: RunningTest) => Promise<void>) => unknown;

/** One thing a port demands of whoever implements it. */
export interface Requirement {
  /** Stable over versions: `<port>/<topic>/<case>`. */
  readonly id: string;
  /** What is demanded, one sentence. */
  readonly text: string;
}

/** A requirement and what shows it. */
export interface Case<TSubject> extends Requirement {
  /** Why the case does not concern this subject, for example a method it does not have; `null` when it does. */
  readonly notFor?: (subject: TSubject) => string | null;
  /** Rejects when the requirement is not met. */
  readonly run: (subject: TSubject) => Promise<void>;
}

/** Lists what cases demand, without how they show it. */
export function requirementsOf(cases: readonly Requirement[]): readonly Requirement[] {
  return cases.map(({ id, text }) => ({ id, text }));
}

/** What every suite takes. */
export interface SuiteOptions {
  readonly it: RegisterTest;
  /**
   * Cases known not to hold, by id, each with the reason. They are run all the same and reported as skipped; one that
   * holds fails, so that the list does not outlive its reasons.
   *
   * @defaultValue none
   */
  readonly skip?: Readonly<Record<string, string>> | undefined;
}

/** Gives each case a subject of its own, and ends it. */
export interface Subjects<TSubject> {
  create(): Promise<TSubject>;
  /** Called also when the case failed. */
  dispose(subject: TSubject): Promise<void>;
}

/**
 * Registers one test for each case.
 *
 * @throws `INVALID_OPTIONS` for a skip whose id is not of this suite, or that gives no reason
 */
export function runSuite<TSubject>(
  cases: readonly Case<TSubject>[],
  subjects: Subjects<TSubject>,
  { it, skip = {} }: SuiteOptions,
): void {
  const ids = new Set(cases.map(({ id }) => id));
  for (const [id, reason] of Object.entries(skip)) {
    if (!ids.has(id)) {
      throw mcpError(
        'INVALID_OPTIONS',
        `skip names ${JSON.stringify(id)}, which is no case of this suite: ${[...ids].join(', ')}.`,
      );
    }
    if (reason.trim() === '')
      throw mcpError('INVALID_OPTIONS', `skip gives no reason for ${JSON.stringify(id)}.`);
  }
  for (const entry of cases) {
    it(`${entry.id}: ${entry.text}`, async (test) => {
      const subject = await subjects.create();
      try {
        const notFor = entry.notFor?.(subject) ?? null;
        if (notFor === null) await judge(entry, subject, { test, reason: skip[entry.id] });
        else if (skip[entry.id] === undefined) test.skip(notFor);
        else throw stale(entry, `does not concern this subject: ${notFor}`);
      } catch (error) {
        // What went wrong first says more than what its remains did to the cleaning up.
        await subjects.dispose(subject).catch(() => undefined);
        throw error;
      }
      await subjects.dispose(subject);
    });
  }
}

async function judge<TSubject>(
  entry: Case<TSubject>,
  subject: TSubject,
  { test, reason }: { readonly test: RunningTest; readonly reason: string | undefined },
): Promise<void> {
  try {
    await entry.run(subject);
  } catch (error) {
    if (reason === undefined) throw error;
    test.skip(`${reason} (${inspect(error, { depth: 0 }).split('\n', 1)[0] ?? ''})`);
    return;
  }
  if (reason !== undefined) throw stale(entry, `holds although it is skipped ("${reason}")`);
}

function stale({ id }: Requirement, why: string): Error {
  return mcpError('INVALID_OPTIONS', `${id} ${why}: remove it from skip.`);
}
