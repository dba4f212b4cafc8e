/**
 * What a store must do, as tests.
 *
 * @packageDocumentation
 */
import { abortCases } from './store/abort-cases.js';
import { atOnceCases } from './store/at-once-cases.js';
import { counterCases } from './store/counter-cases.js';
import { eventCases } from './store/event-cases.js';
import { eventsAtOnceCases } from './store/events-at-once-cases.js';
import { fenceCases } from './store/fence-cases.js';
import { groupCases } from './store/group-cases.js';
import { instanceCases } from './store/instance-cases.js';
import { instanceQueryCases } from './store/instance-query-cases.js';
import { keptValuesCases } from './store/kept-values-cases.js';
import { leaseCases } from './store/lease-cases.js';
import { listCases } from './store/list-cases.js';
import { logCases } from './store/log-cases.js';
import { openingCases } from './store/opening-cases.js';
import { readCases } from './store/read-cases.js';
import { serverCases } from './store/server-cases.js';
import { serverQueryCases } from './store/server-query-cases.js';
import { StoreBench } from './store/store-bench.js';
import type { StoreHarness } from './store/store-harness.js';
import { timeCases } from './store/time-cases.js';
import { transactionCases } from './store/transaction-cases.js';
import { watchCases } from './store/watch-cases.js';
import { type Requirement, requirementsOf, runSuite, type SuiteOptions } from './suite.js';

export type { StoreHarness } from './store/store-harness.js';
export type { RegisterTest, Requirement, RunningTest, SuiteOptions } from './suite.js';

const cases = [
  ...openingCases,
  ...timeCases,
  ...serverCases,
  ...instanceCases,
  ...keptValuesCases,
  ...listCases,
  ...serverQueryCases,
  ...instanceQueryCases,
  ...counterCases,
  ...transactionCases,
  ...atOnceCases,
  ...readCases,
  ...eventCases,
  ...eventsAtOnceCases,
  ...logCases,
  ...groupCases,
  ...leaseCases,
  ...fenceCases,
  ...watchCases,
  ...abortCases,
];

/** What {@link storeSuite} takes. */
export interface StoreSuiteOptions extends SuiteOptions {
  /** Makes the data of one case: new and empty. */
  readonly create: () => StoreHarness | Promise<StoreHarness>;
  /**
   * How long a case waits for what must happen, such as a lease that runs out.
   *
   * @defaultValue 10000
   */
  readonly patienceMs?: number | undefined;
}

/** What a store must do, in the order of the tests. */
export const storeRequirements: readonly Requirement[] = requirementsOf(cases);

/**
 * Registers a test for each requirement of a store.
 *
 * @throws `INVALID_OPTIONS` for a skip whose id is not of this suite, or that gives no reason
 */
export function storeSuite(options: StoreSuiteOptions): void {
  const { create, patienceMs = 10_000 } = options;
  runSuite(
    cases,
    {
      create: async () => new StoreBench(await create(), patienceMs),
      dispose: (bench) => bench.dispose(),
    },
    options,
  );
}
