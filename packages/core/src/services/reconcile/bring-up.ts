import type { ErrorCode } from '../../domain/errors/error-codes.js';
import type { Copy, InstanceRecord } from '../../domain/instance/instance-record.js';
import type { Endpoint } from '../../domain/instance/mcp-server-instance.js';
import type { StatusFact } from '../../domain/instance/status-reducer.js';
import { sleep } from '../../async/sleep.js';
import type { Observation } from '../../ports/provider.js';
import type { LeasedPass } from './leased-pass.js';
import { ProgressReport } from './progress-report.js';
import { Pulls, type Pull } from './pulls.js';
import { untilReady, type ReadyReport } from './readiness.js';
import type { ReconcileServices } from './reconcile-services.js';
import { runRequest } from './run-request.js';
import { exitedAtStart, isFailure } from './told-exit.js';
import { inTurn, longWaitMs } from './waiting-in-line.js';

/** A copy that runs and has answered. */
export interface ReadyCopy {
  readonly endpoint: Endpoint;
  readonly report: ReadyReport;
  /** Of the secrets it was given; `undefined` where that is not known. */
  readonly secretFingerprint: string | undefined;
}

/** Told of the steps that show in the status. */
interface BringUpSteps {
  pulling(): Promise<void>;
  starting(): Promise<void>;
  /** What it waits for, or what its server refuses. */
  noted(reason: ErrorCode, message: string): Promise<void>;
}

/** The steps as facts of a status. */
export function stepsToldBy(say: (fact: StatusFact) => Promise<void>): BringUpSteps {
  return {
    pulling: () => say({ kind: 'pull-began' }),
    starting: () => say({ kind: 'start-began' }),
    noted: (reason, message) => say({ kind: 'noted', reason, message }),
  };
}

/** What bringing a copy up works with. */
export type BringUpPass = LeasedPass & {
  /** What was just seen of the copy; one that runs is only waited for. */
  readonly seen: Observation;
  readonly steps: BringUpSteps;
};

/** Makes one copy run and waits until it answers. Knows nothing of status. */
export class BringUp {
  readonly #services: ReconcileServices;
  readonly #pulls = new Pulls();
  /** Since when the newest copy of an instance is waited for; a pass that was ended goes on with the same wait. */
  readonly #waits = new Map<string, { readonly revision: number; readonly sinceMs: number }>();

  constructor(services: ReconcileServices) {
    this.#services = services;
  }

  /** How many instances something is kept of. */
  get size(): number {
    return this.#waits.size + this.#pulls.size;
  }

  /**
   * Brings a copy up.
   *
   * @throws the code of why it does not run or answer; the copy may then still exist
   */
  async run(record: InstanceRecord, copy: Copy, pass: BringUpPass): Promise<ReadyCopy> {
    try {
      const running = pass.seen.state === 'running' ? pass.seen : await this.#start(record, copy, pass);
      if (running.state !== 'running') throw exitedAtStart(running);
      await pass.steps.starting();
      const since = this.#waitsSince(record.id, copy.revision);
      const refused = (code: ErrorCode, message: string): Promise<void> => pass.steps.noted(code, message);
      const report = await untilReady(this.#services, { record, copy }, { ...pass, since, refused });
      this.#waits.delete(record.id);
      const secretFingerprint = await this.#services.secrets.givenTo(record.id, copy.revision);
      return { endpoint: running.endpoint, report, secretFingerprint };
    } catch (error) {
      if (isFailure(error)) this.#waits.delete(record.id);
      throw error;
    }
  }

  /** Gives up what is fetched and waited for on behalf of an instance, but for copies that are still wanted. */
  keepOnly(id: string, revisions: readonly number[]): void {
    this.#pulls.keepOnly(id, revisions);
    const wait = this.#waits.get(id);
    if (wait && !revisions.includes(wait.revision)) this.#waits.delete(id);
  }

  stop(): void {
    this.#pulls.stop();
  }

  async #start(record: InstanceRecord, copy: Copy, pass: BringUpPass): Promise<Observation> {
    const { provider, reconcile, steps } = pass;
    const { context, secrets, startSlots } = this.#services;
    await this.#prepare(record, copy, pass);
    await steps.starting();
    const request = runRequest(secrets, { record, copy }, () => undefined);
    const isLong = (before: number): Promise<void> =>
      steps.noted('WAITING_FOR_SLOT', inLine(before, 'starts'));
    const key = this.#slotOf(record);
    return inTurn({ slots: startSlots, key, clock: context.clock, reconcile, isLong }, () =>
      provider.ensureRunning(request, { signal: reconcile.signal }),
    );
  }

  /** Waits until what a start needs is there. The fetch itself is apart from the pass: it outlives news, and holds no place. */
  async #prepare(record: InstanceRecord, copy: Copy, pass: BringUpPass): Promise<void> {
    const { provider, reconcile, steps } = pass;
    const { context, secrets, pullSlots } = this.#services;
    if (!provider.prepare) return;
    const look = runRequest(secrets, { record, copy }, () => undefined);
    if ((await provider.isPrepared?.(look, { signal: reconcile.signal })) === true) return;
    const key = this.#slotOf(record);
    const before = pullSlots.inUse(key.group) + pullSlots.waiting(key.group);
    const { id } = record;
    const pull = this.#pulls.join(
      { id, revision: copy.revision, signal: reconcile.signal },
      (signal, began) => {
        const progress = new ProgressReport(context, record, { fence: pass.fence, began });
        const request = runRequest(secrets, { record, copy }, (step) => {
          progress.report(step);
        });
        return pullSlots.run(key, async () => provider.prepare?.(request, { signal }), signal);
      },
    );
    const short = new AbortController();
    const long = sleep(context.clock, longWaitMs, short.signal);
    const step = await reconcile
      .waiting(() => firstOf(pull, long))
      .finally(() => {
        short.abort();
      });
    if (step === 'began') await steps.pulling();
    if (step === 'long') await steps.noted('WAITING_FOR_SLOT', inLine(before, 'pulls'));
    if (step === 'long' && (await reconcile.waiting(() => firstOf(pull))) === 'began') await steps.pulling();
    if (step !== 'done') await reconcile.waiting(() => pull.done);
  }

  #slotOf({ tenant, jsonSpec: { type } }: InstanceRecord) {
    return { group: this.#services.ownership.placement(type) ?? type, share: tenant };
  }

  #waitsSince(id: string, revision: number): number {
    const known = this.#waits.get(id);
    if (known?.revision === revision) return known.sinceMs;
    const sinceMs = this.#services.context.clock.monotonicMs();
    this.#waits.set(id, { revision, sinceMs });
    return sinceMs;
  }
}

/** What comes first of a pull: its end, that something is fetched, or that it takes long. */
function firstOf(pull: Pull, long?: Promise<void>): Promise<'done' | 'began' | 'long'> {
  return Promise.race([
    pull.done.then(() => 'done' as const),
    pull.began.then(() => 'began' as const),
    ...(long ? [long.then(() => 'long' as const)] : []),
  ]);
}

function inLine(before: number, option: 'starts' | 'pulls'): string {
  return `It waits for its turn at its placement, with ${String(before)} before it; raise concurrency.${option} where more can be done at once.`;
}
