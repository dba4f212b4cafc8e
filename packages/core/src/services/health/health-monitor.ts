/*
 * Whether running servers answer: when each is probed, and what a probe's report means for its row.
 * The reconciler says which copies to probe, the composition root starts and stops it.
 * It never restarts anything; it writes what it saw.
 */
import type { FairSlots } from '../../async/fair-slots.js';
import { SingleFlight } from '../../async/single-flight.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { Copy, InstanceRecord } from '../../domain/instance/instance-record.js';
import type { ProbeReport, ProbeRequest } from '../../ports/mcp-link.js';
import type { ServiceContext } from '../context/service-context.js';
import { copyRef, probeOf, type LinkRegistry } from '../ownership/link-registry.js';
import type { SecretSource } from '../secrets/secret-source.js';
import type { DueTimes } from './due-times.js';
import { copyOf, type HealthTarget, intervalMs, waitMs } from './health-target.js';
import type { HealthTracking } from './health-tracking.js';
import { HealthWriter } from './health-writer.js';
import { ListingFloor } from './listing-floor.js';
import { PlacementWatch } from './placement-watch.js';
import type { Seen } from './verdict.js';

/** What is not known is asked this soon, spread so that many targets are not probed together. */
const soonMs = 5_000;

/** Probes the running instances of this worker, each at its own interval, and writes only when something changed. */
export class HealthMonitor implements HealthTracking {
  readonly #context: ServiceContext;
  readonly #links: LinkRegistry;
  readonly #secrets: SecretSource;
  readonly #slots: FairSlots;
  readonly #timers: DueTimes;
  readonly #watch: PlacementWatch;
  readonly #writer: HealthWriter;
  readonly #targets = new Map<string, HealthTarget>();
  #stopped = false;

  constructor(
    context: ServiceContext,
    options: {
      readonly links: LinkRegistry;
      readonly secrets: SecretSource;
      /** How many servers of a placement may be asked at once. */
      readonly slots: FairSlots;
      readonly timers: (due: (key: string) => void) => DueTimes;
      /** Told of a type whose engine does not answer. */
      readonly silent: (type: string) => void;
    },
  ) {
    const { links, secrets, slots, timers, silent } = options;
    this.#context = context;
    this.#links = links;
    this.#secrets = secrets;
    this.#slots = slots;
    this.#timers = timers((id) => void this.#due(id));
    this.#watch = new PlacementWatch(context, {
      timers,
      listener: {
        lost: (ids, { type, error: { code, message } }) => {
          silent(type);
          const at = context.clock.now();
          this.#each(ids, (target) => this.#saw(target, { kind: 'unreachable', at, code, message }));
        },
        back: (ids) => this.#each(ids, (target) => this.#askSoon(target)),
      },
    });
    this.#writer = new HealthWriter(context, {
      timers,
      targetOf: (id) => this.#targets.get(id),
      gone: (target) => this.#drop(target),
    });
  }

  /** How many instances are probed. */
  get size(): number {
    return this.#targets.size;
  }

  /** The instances that are probed, as last known. */
  records(): readonly InstanceRecord[] {
    return [...this.#targets.values()].map(({ record }) => record);
  }

  track(record: InstanceRecord, fence: number): void {
    const { active } = record.runtime;
    // A pass that ends after the stop still tells of what it saw.
    if (!active || this.#stopped) return;
    const known = this.#targets.get(record.id);
    if (known?.revision === active.revision && known.fence === fence) this.#goOn(known, record);
    else this.#begin(record, active, fence);
  }

  untrack(id: string): void {
    const target = this.#targets.get(id);
    if (target) this.#drop(target);
  }

  confirms(id: string): boolean {
    return this.#targets.get(id)?.confirmed ?? false;
  }

  toolsChanged(id: string): void {
    const target = this.#targets.get(id);
    if (!target) return;
    target.floor.heard(this.#context.clock.monotonicMs());
    this.#plan(target);
  }

  stop(): void {
    this.#stopped = true;
    this.#timers.clear();
    this.#watch.stop();
    this.#writer.stop();
    for (const target of [...this.#targets.values()]) this.#drop(target);
  }

  #begin(record: InstanceRecord, active: Copy, fence: number): void {
    this.untrack(record.id);
    const { clock, random } = this.#context;
    const target: HealthTarget = {
      id: record.id,
      fence,
      revision: active.revision,
      placement: `${active.spec.type} on ${record.runtime.placement ?? 'no placement'}`,
      ending: new AbortController(),
      floor: new ListingFloor(),
      writes: new SingleFlight(
        () => this.#writer.write(target),
        (error) => this.#warn(target, error),
      ),
      record,
      unsure: false,
      writeFailures: 0,
      seen: null,
      failures: 0,
      confirmed: false,
      handshake: null,
      dueMs: Infinity,
      probing: false,
    };
    this.#targets.set(record.id, target);
    this.#watchOver(target);
    const { status, statusDetail } = record;
    const isKnown = status === 'running' && statusDetail.health.state !== 'unknown';
    // Spread over the interval, so that many targets are not probed together.
    if (isKnown) this.#planAt(target, clock.monotonicMs() + Math.max(250, waitMs(target) * random()));
    else this.#askSoon(target);
  }

  #goOn(target: HealthTarget, record: InstanceRecord): void {
    const { record: before, seen } = target;
    if (record.resourceVersion < before.resourceVersion) return;
    target.record = record;
    if (intervalMs(record) !== intervalMs(before)) {
      this.#watchOver(target);
      this.#planAt(target, this.#context.clock.monotonicMs() + waitMs(target));
    }
    // Somebody else wrote that nothing is known: what was seen before is too old to say otherwise.
    if (record.statusDetail.health.state !== 'unknown' || seen === null || seen.kind === 'unreachable')
      return;
    if (Date.parse(record.statusDetail.health.since) <= seen.at) return;
    Object.assign(target, { seen: null, failures: 0, confirmed: false });
    this.#askSoon(target);
  }

  #drop(target: HealthTarget): void {
    target.ending.abort();
    if (this.#targets.get(target.id) !== target) return;
    this.#targets.delete(target.id);
    this.#timers.delete(target.id);
    this.#writer.forget(target.id);
    this.#watch.remove(target.placement, target.id);
  }

  /** What lives nowhere has no engine that could be away. */
  #watchOver({ id, record, placement }: HealthTarget): void {
    const { active, placement: at } = record.runtime;
    if (!active || at === '*') return;
    const copy = copyRef(record, active);
    this.#watch.add(placement, id, { type: active.spec.type, copy, intervalMs: intervalMs(record) });
  }

  #each(ids: Iterable<string>, work: (target: HealthTarget) => void): void {
    for (const id of [...ids]) {
      const target = this.#targets.get(id);
      if (target) work(target);
    }
  }

  #planAt(target: HealthTarget, dueMs: number): void {
    target.dueMs = dueMs;
    this.#plan(target);
  }

  #askSoon(target: HealthTarget): void {
    const { clock, random } = this.#context;
    const soon = clock.monotonicMs() + Math.min(soonMs, intervalMs(target.record)) * random();
    this.#planAt(target, Math.min(target.dueMs, soon));
  }

  /** Sets the timer to whatever is next; during a probe that is done after it. */
  #plan(target: HealthTarget): void {
    if (target.probing || this.#targets.get(target.id) !== target) return;
    const dueMs = Math.min(target.dueMs, this.#isStale(target) ? target.floor.dueMs : Infinity);
    if (dueMs === Infinity) this.#timers.delete(target.id);
    else this.#timers.set(target.id, dueMs);
  }

  #isStale({ id, revision, placement }: HealthTarget): boolean {
    return this.#watch.lost(placement) === null && this.#links.get(id, revision)?.toolsStale === true;
  }

  async #due(id: string): Promise<void> {
    const target = this.#targets.get(id);
    const copy = target && copyOf(target);
    if (!target || !copy || target.probing) return;
    const nowMs = this.#context.clock.monotonicMs();
    const isPlanned = nowMs >= target.dueMs;
    // From the start of this probe, whatever time it takes.
    if (isPlanned) target.dueMs = nowMs + waitMs(target);
    if (this.#watch.lost(target.placement) !== null) {
      this.#plan(target);
      return;
    }
    target.probing = true;
    try {
      await this.#probe(target, copy, isPlanned);
    } catch (error) {
      if (!target.ending.signal.aborted) this.#warn(target, error);
    }
    target.probing = false;
    if (isPlanned && this.#targets.get(id) === target) target.dueMs = nowMs + waitMs(target);
    this.#plan(target);
  }

  /** @param isPlanned - whether it is the health check, or only lists the tools */
  async #probe(target: HealthTarget, copy: Copy, isPlanned: boolean): Promise<void> {
    const { id, record, ending } = target;
    const { signal } = ending;
    const { clock } = this.#context;
    const startedMs = clock.monotonicMs();
    const at = clock.now();
    const link = this.#links.of(record, copy);
    const request = this.#request(target, copy, { isPlanned, isStale: link.toolsStale });
    if (request.listTools) target.floor.began(startedMs);
    const report = await link.probe(request, { signal });
    if (!report.ok || report.handshake) await this.#secrets.know(record, copy, { signal });
    const seen = isPlanned ? await this.#seenOf(target, report, { at, startedMs }) : null;
    if (signal.aborted) return;
    if (report.ok && report.handshake) target.handshake = this.#secrets.scrubDocument(id, report.handshake);
    if (seen) this.#saw(target, seen);
    else this.#writer.settle(target);
  }

  #request(
    { record, placement, ending }: HealthTarget,
    copy: Copy,
    { isPlanned, isStale }: { readonly isPlanned: boolean; readonly isStale: boolean },
  ): ProbeRequest {
    const { check, timeoutMs } = probeOf(copy.spec);
    const turn: ProbeRequest['turn'] = (ask) =>
      this.#slots.run({ group: placement, share: record.tenant }, ask, ending.signal);
    if (isPlanned) return { check, timeoutMs, listTools: isStale && check.type === 'mcp', turn };
    // A check of another type would not list anything.
    return { check: { type: 'mcp' }, timeoutMs, listTools: true, turn };
  }

  /** A failure is the server's only where the engine it runs on answers. */
  async #seenOf(
    target: HealthTarget,
    report: ProbeReport,
    { at, startedMs }: { readonly at: number; readonly startedMs: number },
  ): Promise<Seen> {
    const { placement } = target;
    const lost = report.ok ? this.#watch.lost(placement) : await this.#watch.lostSince(placement, startedMs);
    if (lost) return { kind: 'unreachable', at, code: lost.code, message: lost.message };
    if (report.ok) return { kind: 'passed', at, health: report.unauthorized ? 'unauthorized' : 'healthy' };
    const message = this.#secrets.scrub(target.id, report.message);
    if (report.unreachable) return { kind: 'unreachable', at, code: report.code, message };
    return { kind: 'failed', at, code: report.code, message, failures: target.failures + 1 };
  }

  #saw(target: HealthTarget, seen: Seen): void {
    target.seen = seen;
    target.failures = seen.kind === 'failed' ? seen.failures : 0;
    this.#writer.settle(target);
  }

  #warn({ id, record }: HealthTarget, error: unknown): void {
    this.#context.logger.warn('a probe could not be made', {
      instance: record.name,
      error: this.#secrets.scrub(id, messageOf(error)),
    });
  }
}
