import { Buses, type EventBusHarness } from './event-bus/buses.js';
import { deliveryCases } from './event-bus/delivery-cases.js';
import { groupCases } from './event-bus/group-cases.js';
import { lifecycleCases } from './event-bus/lifecycle-cases.js';
import { processCases } from './event-bus/process-cases.js';
import { publishCases } from './event-bus/publish-cases.js';
import { unsubscribeCases } from './event-bus/unsubscribe-cases.js';
import { type Requirement, requirementsOf, runSuite, type SuiteOptions } from './suite.js';

export type { EventBusHarness } from './event-bus/buses.js';
export type { RegisterTest, Requirement, RunningTest, SuiteOptions } from './suite.js';

const cases = [
  ...publishCases,
  ...deliveryCases,
  ...groupCases,
  ...unsubscribeCases,
  ...processCases,
  ...lifecycleCases,
];

/** What {@link eventBusSuite} takes. */
export interface EventBusSuiteOptions extends SuiteOptions {
  /** Makes what one case works on. */
  readonly create: () => EventBusHarness | Promise<EventBusHarness>;
  /**
   * How long a case waits for what must happen, such as an event that is handed again.
   *
   * @defaultValue 10000
   */
  readonly patienceMs?: number | undefined;
}

/** What an event bus must do, in the order of the tests. */
export const eventBusRequirements: readonly Requirement[] = requirementsOf(cases);

/**
 * Registers a test for each requirement of an event bus.
 *
 * @throws `INVALID_OPTIONS` for a skip whose id is not of this suite, or that gives no reason
 */
export function eventBusSuite(options: EventBusSuiteOptions): void {
  const { create, patienceMs = 10_000 } = options;
  runSuite(
    cases,
    {
      create: async () => new Buses(await create(), patienceMs),
      dispose: (buses) => buses.dispose(),
    },
    options,
  );
}
