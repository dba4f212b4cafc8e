import type { RegisterTest } from '@mcpinfra/conformance/store';

/** How the cases of a suite ended, by id. */
export interface Outcomes {
  readonly failed: ReadonlyMap<string, unknown>;
  readonly passed: readonly string[];
  /** With the reasons. */
  readonly skipped: ReadonlyMap<string, string>;
}

/**
 * Runs a suite outside of a test runner, one case after the other, and tells how each ended.
 *
 * @example
 * ```ts
 * const { failed } = await collectFailures((it) => storeSuite({ it, create }));
 * expect([...failed.keys()]).toEqual(['store/events/one-order']);
 * ```
 */
export async function collectFailures(register: (it: RegisterTest) => void): Promise<Outcomes> {
  const cases: (readonly [name: string, run: Parameters<RegisterTest>[1]])[] = [];
  register((name, run) => cases.push([name, run]));
  const failed = new Map<string, unknown>();
  const passed: string[] = [];
  const skipped = new Map<string, string>();
  for (const [name, run] of cases) {
    const [id = name] = name.split(': ', 1);
    try {
      await run({ skip: (reason = '') => skipped.set(id, reason) });
      if (!skipped.has(id)) passed.push(id);
    } catch (error) {
      failed.set(id, error);
    }
  }
  return { failed, passed, skipped };
}
