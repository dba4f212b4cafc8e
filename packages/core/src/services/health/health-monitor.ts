/*
 * Whether running servers answer: when each is probed, and what a probe's report means for its row.
 * The reconciler says which copies to probe, the composition root starts and stops it.
 * It never restarts anything; it writes what it saw.
 */
import { resolveHealthCheck } from '../../domain/json-spec/health-check.js';
import { backoff } from '../../async/retry.js';
import type { HandshakeRecord, InstanceRecord } from '../../domain/instance/instance-record.js';
import type { StatusFact } from '../../domain/instance/status-reducer.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import type { ProbeReport } from '../../ports/mcp-link.js';
import { changeInstance } from '../context/instance-writer.js';
import { probeOf, type LinkRegistry } from '../ownership/link-registry.js';
import type { ServiceContext } from '../context/service-context.js';
import { toolsChanged } from './tools-changed.js';
import type { HealthTracking } from './health-tracking.js';
import type { Slots } from '../../async/slots.js';
import type { SecretSource } from '../secrets/secret-source.js';

/** Calls back at the time set for a key; one time for each. */
export interface Timers {
  set(key: string, dueMs: number): void;
  delete(key: string): void;
  clear(): void;
}

interface Target {
  record: InstanceRecord;
  readonly fence: number;
  failures: number;
  /** The tools are to be listed with the next probe. */
  listTools: boolean;
  /** What the last probe said, so that only changes are written. */
  state: 'healthy' | 'unauthorized' | 'failing';
  readonly ending: AbortController;
}

/** Probes the running instances of this worker, each at its own interval, and writes only when something changed. */
export class HealthMonitor implements HealthTracking {
  readonly #context: ServiceContext;
  readonly #links: LinkRegistry;
  readonly #slots: Slots;
  readonly #timers: Timers;
  readonly #targets = new Map<string, Target>();
  readonly #secrets: SecretSource;

  constructor(
    context: ServiceContext,
    options: {
      readonly links: LinkRegistry;
      readonly secrets: SecretSource;
      /** How many probes may be under way at once. */
      readonly slots: Slots;
      readonly timers: (due: (key: string) => void) => Timers;
    },
  ) {
    this.#context = context;
    this.#links = options.links;
    this.#secrets = options.secrets;
    this.#slots = options.slots;
    this.#timers = options.timers((id) => void this.#check(id));
  }

  /** How many instances are probed. */
  get size(): number {
    return this.#targets.size;
  }

  /** The instances that are probed, as last known. */
  records(): readonly InstanceRecord[] {
    return [...this.#targets.values()].map(({ record }) => record);
  }

  /** Begins or goes on to probe an instance's active copy. */
  track(record: InstanceRecord, fence: number): void {
    const { active } = record.runtime;
    if (!active) return;
    const known = this.#targets.get(record.id);
    const sameCopy = known?.record.runtime.active?.revision === active.revision;
    if (known && sameCopy && known.fence === fence) {
      const intervalChanged = intervalOf(record) !== intervalOf(known.record);
      known.record = record;
      if (intervalChanged) this.#plan(record.id, known);
      return;
    }
    this.untrack(record.id);
    const { state } = record.statusDetail.health;
    const target: Target = {
      record,
      fence,
      failures: 0,
      listTools: false,
      state: state === 'healthy' || state === 'unauthorized' ? state : 'failing',
      ending: new AbortController(),
    };
    this.#targets.set(record.id, target);
    this.#plan(record.id, target, this.#context.random());
  }

  untrack(id: string): void {
    this.#timers.delete(id);
    this.#targets.get(id)?.ending.abort();
    this.#targets.delete(id);
  }

  /** Lists an instance's tools with a probe now, since the server said that they changed. */
  toolsChanged(id: string): void {
    const target = this.#targets.get(id);
    if (!target) return;
    target.listTools = true;
    this.#timers.set(id, this.#context.clock.monotonicMs());
  }

  stop(): void {
    this.#timers.clear();
    for (const id of [...this.#targets.keys()]) this.untrack(id);
  }

  /** Sets the next probe; the first is spread over the interval, so that many targets are not probed together. */
  #plan(id: string, target: Target, spread = 1): void {
    const { active } = target.record.runtime;
    if (!active) return;
    const check = resolveHealthCheck(active.spec);
    if (check.type === 'none') return;
    const backOff =
      target.state === 'failing' ? Math.min(4, Math.max(1, target.failures - check.retries + 1)) : 1;
    const inMs = Math.max(250, check.interval * 1_000 * spread * backOff);
    this.#timers.set(id, this.#context.clock.monotonicMs() + inMs);
  }

  async #check(id: string): Promise<void> {
    const target = this.#targets.get(id);
    const active = target?.record.runtime.active;
    if (!target || !active) return;
    const { listTools } = target;
    target.listTools = false;
    try {
      const { check, timeoutMs } = probeOf(active.spec);
      const { signal } = target.ending;
      const link = this.#links.of(target.record, active);
      const report = await this.#slots.run(
        () => link.probe({ check, timeoutMs, listTools }, { signal }),
        signal,
      );
      if (!report.ok || report.handshake) await this.#secrets.know(target.record, active.spec, { signal });
      if (this.#targets.get(id) === target) await this.#judge(id, target, report);
    } catch (error) {
      if (!target.ending.signal.aborted) {
        this.#context.logger.warn('a probe could not be made', {
          instance: target.record.name,
          error: this.#secrets.scrub(id, messageOf(error)),
        });
      }
    }
    if (this.#targets.get(id) === target) this.#plan(id, target);
  }

  async #judge(id: string, target: Target, report: ProbeReport): Promise<void> {
    const active = target.record.runtime.active;
    if (!active) return;
    const { endpoint } = target.record.statusDetail;
    if (report.ok) {
      target.failures = 0;
      const state = report.unauthorized ? 'unauthorized' : 'healthy';
      const changed = state !== target.state || this.#isLost(target) || this.#hasBecomeSteady(target);
      target.state = state;
      if (!changed && report.handshake === null) return;
      const message = report.unauthorized ? 'The server answers but refuses the credentials.' : '';
      const facts: StatusFact[] = endpoint
        ? [{ kind: 'probe-passed', endpoint, health: state, message }]
        : [];
      const handshake = this.#secrets.scrubDocument(id, report.handshake);
      await this.#write(id, target, { facts, handshake });
      return;
    }
    const check = resolveHealthCheck(active.spec);
    target.failures += 1;
    const startedMs = Date.parse(target.record.runtime.steadySince ?? target.record.statusDetail.since);
    const inStartPeriod = this.#context.clock.now() - startedMs < check.startPeriod * 1_000;
    if (inStartPeriod || target.failures < check.retries || target.state === 'failing') return;
    target.state = 'failing';
    const message = this.#secrets.scrub(
      id,
      `${String(target.failures)} probes in a row failed: ${report.message}`,
    );
    await this.#write(id, target, {
      facts: [{ kind: 'probe-failed', reason: report.code, message, fatal: true }],
      handshake: null,
    });
    this.#context.wake(id, 'hint');
  }

  #isLost(target: Target): boolean {
    return target.record.statusDetail.reason === 'PLACEMENT_UNREACHABLE';
  }

  #hasBecomeSteady(target: Target): boolean {
    const { steadySince, failures } = target.record.runtime;
    if (steadySince === null || failures === 0) return false;
    return this.#context.clock.now() - Date.parse(steadySince) >= backoff.steadyMs;
  }

  async #write(
    id: string,
    target: Target,
    news: { readonly facts: readonly StatusFact[]; readonly handshake: HandshakeRecord | null },
  ): Promise<void> {
    const revision = target.record.runtime.active?.revision;
    const steady = this.#hasBecomeSteady(target);
    try {
      const written = await changeInstance(this.#context, id, {
        origin: { fence: target.fence },
        decide: (record) => {
          // The copy that was probed may have been replaced meanwhile.
          if (record.runtime.active?.revision !== revision) return null;
          const event = news.handshake
            ? toolsChanged(this.#context, record, news.handshake.tools)
            : undefined;
          return {
            facts: [...(steady ? [{ kind: 'steady' as const }] : []), ...news.facts],
            runtime: {
              ...(news.handshake ? { handshake: news.handshake } : {}),
              ...(steady ? { failures: 0 } : {}),
            },
            events: () => (event ? [event] : []),
          };
        },
      });
      target.record = written;
    } catch (error) {
      const gone =
        MCPInfraError.isInstance(error) && (error.code === 'NOT_FOUND' || error.code === 'LEASE_LOST');
      if (!gone) throw error;
      this.untrack(id);
    }
  }
}

function intervalOf({ runtime }: InstanceRecord): number {
  return runtime.active ? resolveHealthCheck(runtime.active.spec).interval : 0;
}
