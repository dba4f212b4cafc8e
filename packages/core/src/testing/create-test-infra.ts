import {
  createMCPInfra,
  type Event,
  type EventType,
  type MCPInfra,
  type MCPInfraOptions,
  memoryEventBus,
  memoryStore,
  type SpecOf,
} from '../index.js';
import { type ContainerSpec, mcpError, type Provider } from '../plugin.js';
import { Activity } from './activity.js';
import type { FakeProvider } from './fake-controls.js';
import { fakeProvider, isFake } from './fake-provider.js';
import { findLeaks } from './leaks.js';
import { type ManualClock, manualClock } from './manual-clock.js';
import { type RecordedLine, recordingLogger } from './recording-logger.js';
import { rememberingStore } from './remembering-store.js';
import { Settling } from './settling.js';
import type { TestTools } from './tools.js';
import { watchedClock, watchedPlugin } from './watched.js';

/** Options of {@link createTestInfra}: those of `createMCPInfra`, none of them required. */
export interface TestInfraOptions<TProviders extends readonly Provider[]> extends Omit<
  MCPInfraOptions<TProviders>,
  'providers' | 'clock' | 'logger'
> {
  /** What the servers offer, where no providers are given. @defaultValue no tools */
  readonly tools?: TestTools | undefined;
  /**
   * Other providers than one fake of type `docker`. Give the fakes among them the same `clock`. What others have under
   * way is not seen by `settle()`.
   */
  readonly providers?: TProviders | undefined;
  /** @defaultValue one of its own */
  readonly clock?: ManualClock | undefined;
}

/** The providers of a test infra that is given none. */
export type OneFake = readonly [FakeProvider<ContainerSpec>];

/** The fakes among providers. */
export type FakeOf<TProviders extends readonly Provider[]> = [
  Extract<TProviders[number], FakeProvider>,
] extends [never]
  ? FakeProvider
  : Extract<TProviders[number], FakeProvider>;

/** A started infra, and what a test does to its surroundings. */
export interface TestInfra<TProviders extends readonly Provider[] = OneFake>
  extends AsyncDisposable, Pick<FakeProvider, 'crash' | 'hang' | 'unhang' | 'failNextStart'> {
  readonly infra: MCPInfra<SpecOf<TProviders>>;
  readonly clock: ManualClock;
  /** The first fake among the providers. */
  readonly provider: FakeOf<TProviders>;
  readonly logger: { readonly lines: readonly RecordedLine[] };
  /** Waits until nothing is in flight or due at this moment of the clock. @throws `NOT_SETTLED` naming what still moves */
  settle(): Promise<void>;
  /** Moves the clock, letting everything settle before and after whatever becomes due. @throws `NOT_SETTLED` */
  advance(ms: number): Promise<void>;
  /** Every event so far, in order; only those of one type, where it is given. Settle first. */
  recordedEvents<T extends EventType = EventType>(type?: T): readonly Event<T>[];
  /**
   * Says what is left over: copies without an instance or of a revision that is gone, channels nobody closed and, after
   * `stop()`, whatever is still held or scheduled. Empty when all is well. Settle first.
   */
  leaks(): Promise<readonly string[]>;
  /** Stops the infra, moving the clock as far as that takes. */
  stop(): Promise<void>;
}

// Stopping waits for calls in flight and graces; whatever takes longer waits for something else than time.
const longestStopMs = 3_600_000;

/**
 * Starts an infra for a test: servers in this process that speak the real protocol, no ports, and a clock that only the
 * test moves. Works in every test framework.
 *
 * @example
 * ```ts
 * const t = await createTestInfra({ tools: { echo: async (args) => args } });
 * const { id } = await t.infra.instances.create({ name: 'fs-1', jsonSpec: { type: 'docker', image: 'mcp/fs' } });
 * await t.settle();
 * t.crash('fs-1', { lines: ['out of ideas'] });
 * await t.advance(1_000);
 * (await t.infra.instances.get(id)).status; // 'running'
 * await t.stop();
 * await t.leaks(); // []
 * ```
 * @throws `INVALID_OPTIONS`
 */
export async function createTestInfra<const TProviders extends readonly Provider[] = OneFake>(
  options: TestInfraOptions<TProviders> = {},
): Promise<TestInfra<TProviders>> {
  const { tools, clock = manualClock(), providers, ...passed } = options;
  if (tools !== undefined && providers !== undefined) {
    throw mcpError(
      'INVALID_OPTIONS',
      'Give the tools to the fakeProvider() among the providers, or leave out providers.',
    );
  }
  const used: readonly Provider[] = providers ?? [fakeProvider({ tools, clock })];
  const fakes = used.filter(isFake);
  const [provider] = fakes;
  if (!provider) {
    throw mcpError(
      'INVALID_OPTIONS',
      'Expected at least one fakeProvider() among the providers of createTestInfra().',
    );
  }
  const activity = new Activity();
  const settling = new Settling(activity, clock);
  const logger = recordingLogger();
  const { store, rows } = rememberingStore(options.store ?? memoryStore({ clock }));
  const infra = createMCPInfra({
    ...passed,
    providers: used as TProviders,
    store: watchedPlugin(store, 'store', activity),
    events: watchedPlugin(options.events ?? memoryEventBus(), 'events', activity),
    clock: watchedClock(clock, activity),
    logger,
  });
  const events: Event[] = [];
  infra.events.on('*', (event) => void events.push(event));
  const fakeOf = (instance: string): FakeProvider =>
    fakes.find((fake) =>
      fake.copies().some((c) => c.copy.instanceId === instance || c.instanceName === instance),
    ) ?? provider;

  const stop = (): Promise<void> => settling.advanceUntil(infra.stop(), longestStopMs);

  await infra.start();
  await loadWhatIsLoadedOnFirstUse(infra, provider);
  await settling.settle();

  return {
    infra,
    clock,
    provider: provider as FakeOf<TProviders>,
    logger,
    settle: () => settling.settle(),
    advance: (ms) => settling.advance(ms),
    crash: (instance, how) => fakeOf(instance).crash(instance, how),
    hang: (instance) => {
      for (const fake of fakes) fake.hang(instance);
    },
    unhang: (instance) => {
      for (const fake of fakes) fake.unhang(instance);
    },
    failNextStart: (code, message) => provider.failNextStart(code, message),
    recordedEvents: <T extends EventType>(type?: T) =>
      events
        .filter((event) => type === undefined || event.type === type)
        .sort((a, b) => a.position - b.position) as readonly Event[] as readonly Event<T>[],
    leaks: async () => {
      const { status } = await infra.health();
      return findLeaks({ fakes, rows: await rows(), timers: clock.pending, stopped: status === 'stopped' });
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Reading modules takes real time that nothing here could see, so it is done before anybody waits for rest. */
async function loadWhatIsLoadedOnFirstUse(infra: MCPInfra, { type }: Provider): Promise<void> {
  await import('@modelcontextprotocol/client');
  await infra.instances.validate({ name: 'warm-up', jsonSpec: { type } });
  await infra.apply({}, { dryRun: true });
}
