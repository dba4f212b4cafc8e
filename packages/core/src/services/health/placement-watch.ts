import { inSeconds } from '../../domain/in-seconds.js';
import { SharedCalls } from '../../async/shared-call.js';
import { withDeadline } from '../../async/deadline.js';
import { MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { CopyRef } from '../../ports/provider.js';
import type { ServiceContext } from '../context/service-context.js';
import type { DueTimes } from './due-times.js';

/** A copy by which its placement is asked. */
export interface PlacedCopy {
  readonly type: string;
  readonly copy: CopyRef;
  readonly intervalMs: number;
}

interface Placement {
  readonly copies: Map<string, PlacedCopy>;
  /** Why it does not answer; `null` while it does. */
  lost: MCPInfraError | null;
  answeredMs: number;
}

/** Told of a placement that stops answering, or answers again, with the instances there. */
export interface PlacementListener {
  lost(instanceIds: Iterable<string>, why: { readonly type: string; readonly error: MCPInfraError }): void;
  back(instanceIds: Iterable<string>): void;
}

/** Placements whose copies are probed less often are asked as if it were so often. */
const longestIntervalMs = 30_000;

/**
 * Knows of every placement with copies that are probed whether its engine answers, so that an engine that hangs is not
 * taken for servers that do. It asks one copy of each in turn, so often that a silence is noticed within one interval.
 */
export class PlacementWatch {
  readonly #context: ServiceContext;
  readonly #listener: PlacementListener;
  readonly #timers: DueTimes;
  readonly #placements = new Map<string, Placement>();
  readonly #asks = new SharedCalls<string, void>();
  readonly #ending = new AbortController();

  constructor(
    context: ServiceContext,
    options: {
      readonly listener: PlacementListener;
      readonly timers: (due: (key: string) => void) => DueTimes;
    },
  ) {
    this.#context = context;
    this.#listener = options.listener;
    this.#timers = options.timers((key) => void this.#ask(key));
  }

  /** Adds a copy to those by which a placement is asked, or changes it. */
  add(key: string, instanceId: string, copy: PlacedCopy): void {
    const known = this.#placements.get(key);
    if (known) {
      known.copies.set(instanceId, copy);
      return;
    }
    const answeredMs = this.#context.clock.monotonicMs();
    const placement = { copies: new Map([[instanceId, copy]]), lost: null, answeredMs };
    this.#placements.set(key, placement);
    this.#plan(key, placement, answeredMs);
  }

  remove(key: string, instanceId: string): void {
    const placement = this.#placements.get(key);
    placement?.copies.delete(instanceId);
    if (placement?.copies.size !== 0) return;
    this.#placements.delete(key);
    this.#timers.delete(key);
  }

  /** Why a placement does not answer; `null` while it does or where it is not watched. */
  lost(key: string): MCPInfraError | null {
    return this.#placements.get(key)?.lost ?? null;
  }

  /** As {@link lost}, asking it where it has not answered since a time of the monotonic scale. */
  async lostSince(key: string, sinceMs: number): Promise<MCPInfraError | null> {
    const placement = this.#placements.get(key);
    if (placement && placement.lost === null && placement.answeredMs < sinceMs) await this.#ask(key);
    return this.lost(key);
  }

  stop(): void {
    this.#ending.abort();
    this.#timers.clear();
    this.#placements.clear();
  }

  #ask(key: string): Promise<void> {
    return this.#asks.get(key, async () => {
      const placement = this.#placements.get(key);
      if (!placement) return;
      const beganMs = this.#context.clock.monotonicMs();
      const asked = nextOf(placement);
      if (!asked) return;
      const error = await this.#question(key, asked, placement);
      if (this.#placements.get(key) !== placement) return;
      const was = placement.lost;
      placement.lost = error;
      if (error === null) placement.answeredMs = this.#context.clock.monotonicMs();
      this.#plan(key, placement, beganMs);
      if (error !== null && was === null)
        this.#listener.lost(placement.copies.keys(), { type: asked.type, error });
      if (error === null && was !== null) this.#listener.back(placement.copies.keys());
    });
  }

  /** Whatever an engine says of a copy is an answer, also that it could not look at it. */
  async #question(key: string, asked: PlacedCopy, { copies }: Placement): Promise<MCPInfraError | null> {
    const provider = this.#context.providers.get(asked.type);
    if (!provider) return null;
    const timeoutMs = Math.max(5_000, shortestIntervalMs(copies) / 3);
    const expired = () =>
      mcpError(
        'PLUGIN_TIMEOUT',
        `${key} did not say within ${inSeconds(timeoutMs)} whether a copy runs there.`,
      );
    try {
      await withDeadline((signal) => provider.observe(asked.copy, { signal }), {
        clock: this.#context.clock,
        timeoutMs,
        signals: [this.#ending.signal],
        expired,
      });
      return null;
    } catch (error) {
      if (!MCPInfraError.isInstance(error)) return null;
      if (error.code !== 'PLUGIN_TIMEOUT' && error.code !== 'PLACEMENT_UNREACHABLE') return null;
      return mcpError(
        'PLACEMENT_UNREACHABLE',
        `Nothing is known of the server while its engine does not answer: ${messageOf(error)}`,
        { cause: error },
      );
    }
  }

  #plan(key: string, { copies }: Placement, beganMs: number): void {
    if (!this.#ending.signal.aborted) this.#timers.set(key, beganMs + periodMs(copies));
  }
}

/** The copy by which a placement is asked now: each in its turn. */
function nextOf({ copies }: Placement): PlacedCopy | undefined {
  const [next] = copies;
  if (!next) return undefined;
  const [id, asked] = next;
  copies.delete(id);
  copies.set(id, asked);
  return asked;
}

/** Half of the shortest interval: a silence is then noticed, with the third that is given for an answer, within one. */
function periodMs(copies: ReadonlyMap<string, PlacedCopy>): number {
  return Math.max(2_000, shortestIntervalMs(copies) / 2);
}

function shortestIntervalMs(copies: ReadonlyMap<string, PlacedCopy>): number {
  let shortestMs = longestIntervalMs;
  for (const { intervalMs } of copies.values()) shortestMs = Math.min(shortestMs, intervalMs);
  return shortestMs;
}
