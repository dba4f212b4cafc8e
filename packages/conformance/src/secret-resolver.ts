import { discretionCases } from './secret-resolver/discretion-cases.js';
import { lifecycleCases } from './secret-resolver/lifecycle-cases.js';
import { resolveCases } from './secret-resolver/resolve-cases.js';
import { isStore, type SecretResolverHarness, SecretsBench } from './secret-resolver/secrets-bench.js';
import { seed } from './secret-resolver/seed.js';
import { storeCases } from './secret-resolver/store-cases.js';
import { type Requirement, requirementsOf, runSuite, type SuiteOptions } from './suite.js';

export type { SecretResolverHarness } from './secret-resolver/secrets-bench.js';
export type { RegisterTest, Requirement, RunningTest, SuiteOptions } from './suite.js';

const cases = [...resolveCases, ...discretionCases, ...storeCases, ...lifecycleCases];

/** What {@link secretResolverSuite} takes. */
export interface SecretResolverSuiteOptions extends SuiteOptions {
  /**
   * Makes what one case works on.
   *
   * @param seed - the values, by `<scope>:<KEY>`, that the backend of a resolver must hold and no others. Those of a
   * store are put by the suite.
   */
  readonly create: (
    seed: Readonly<Record<string, string>>,
  ) => SecretResolverHarness | Promise<SecretResolverHarness>;
  /**
   * How long a case waits for one call.
   *
   * @defaultValue 10000
   */
  readonly patienceMs?: number | undefined;
}

/** What a secret resolver, and a secret store, must do, in the order of the tests. */
export const secretResolverRequirements: readonly Requirement[] = requirementsOf(cases);

/**
 * Registers a test for each requirement of a secret resolver, and for those of a secret store when it is one.
 *
 * @throws `INVALID_OPTIONS` for a skip whose id is not of this suite, or that gives no reason
 */
export function secretResolverSuite(options: SecretResolverSuiteOptions): void {
  const { create, patienceMs = 10_000 } = options;
  runSuite(
    cases,
    {
      async create() {
        const secrets = new SecretsBench(await create(seed), patienceMs);
        try {
          await secrets.open(secrets.resolver);
          if (isStore(secrets.resolver)) await secrets.put(seed);
        } catch (error) {
          await secrets.dispose();
          throw error;
        }
        return secrets;
      },
      dispose: (secrets) => secrets.dispose(),
    },
    options,
  );
}
