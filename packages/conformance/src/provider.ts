/**
 * What every provider has to keep, as a suite of tests.
 *
 * @packageDocumentation
 */
import { abortCases } from './provider/abort-cases.js';
import { descriptionCases } from './provider/description-cases.js';
import { endCases } from './provider/end-cases.js';
import { processCases } from './provider/process-cases.js';
import { ProviderBench } from './provider/provider-bench.js';
import type { ProviderHarness } from './provider/provider-harness.js';
import { reachCases } from './provider/reach-cases.js';
import { secretCases } from './provider/secret-cases.js';
import { sightCases } from './provider/sight-cases.js';
import { startCases } from './provider/start-cases.js';
import { type Case, type Requirement, requirementsOf, runSuite, type SuiteOptions } from './suite.js';

export type {
  ExitingDocument,
  FailingDocument,
  HostModule,
  ProviderDocuments,
  ProviderHarness,
} from './provider/provider-harness.js';
export type { RegisterTest, Requirement, RunningTest, SuiteOptions } from './suite.js';

const cases: readonly Case<ProviderBench>[] = [
  ...descriptionCases,
  ...startCases,
  ...abortCases,
  ...endCases,
  ...sightCases,
  ...reachCases,
  ...secretCases,
  ...processCases,
];

/** Everything the suite demands, in the order it is tried. */
export const providerRequirements: readonly Requirement[] = requirementsOf(cases);

/** Options of {@link providerSuite}. */
export interface ProviderSuiteOptions extends SuiteOptions {
  /** Makes what one case works with. Cases may run at once. */
  readonly create: () => Promise<ProviderHarness> | ProviderHarness;
  /**
   * How long a case waits for what must happen, such as the end of a call.
   *
   * @defaultValue 15000
   */
  readonly patienceMs?: number | undefined;
}

/**
 * Registers the tests that a provider has to pass: one for each of {@link providerRequirements}.
 *
 * Each case has a fleet of its own, so that they may share a backend. What a provider need not have, by its placement or
 * because it leaves out an optional method, is reported as skipped with the reason.
 *
 * @example
 * ```ts
 * import { providerSuite } from '@mcpinfra/conformance/provider';
 * import { describe, it } from 'vitest';
 *
 * describe('my provider', () => {
 *   providerSuite({
 *     it,
 *     create: () => ({
 *       provider: () => myProvider(),
 *       documents: { serving: { type: 'mine', program: 'server.js' } },
 *     }),
 *   });
 * });
 * ```
 * @throws `INVALID_OPTIONS` for a skip that names no case or gives no reason
 */
export function providerSuite({ create, patienceMs = 15_000, ...options }: ProviderSuiteOptions): void {
  const subjects = {
    create: async () => ProviderBench.open(await create(), { patienceMs }),
    dispose: (bench: ProviderBench) => bench.dispose(),
  };
  runSuite(cases, subjects, options);
}
