import { MCPInfraError } from '../domain/errors/mcpinfra-error.js';
import type { JsonSpec } from '../domain/json-spec/json-spec.js';
import type { CallOptions } from '../ports/common.js';
import type { Observation, Provider, RunRequest } from '../ports/provider.js';
import { abortError } from '../async/abort.js';
import { isObject } from '../domain/is-object.js';
import type { Answer, Guard } from './guard.js';
import { guardedRequest } from './guarded-request.js';

/** What a provider may say of a copy. */
export const observation: Answer<Observation> = {
  expected: "an observation: { state: 'running' | 'exited' | 'absent', … }",
  fits: (answer: unknown) => isObject(answer) && states.has(answer['state']),
};
const states: ReadonlySet<unknown> = new Set(['running', 'exited', 'absent']);

/** The calls for one copy that the provider has not yet answered. */
interface Asks {
  newest: symbol;
  open: number;
}

/**
 * Starts copies, and destroys one that runs after its start was given up, for nobody may know of it.
 *
 * It is left alone when the same copy has been asked for again meanwhile, and when the lease was lost: the next owner
 * may already have adopted it.
 */
export class GuardedStarts<TSpec extends JsonSpec> {
  readonly #provider: Provider<TSpec>;
  readonly #guard: Guard;
  readonly #asks = new Map<string, Asks>();
  readonly #cleanups = new Map<string, Promise<void>>();

  constructor(provider: Provider<TSpec>, guard: Guard) {
    this.#provider = provider;
    this.#guard = guard;
  }

  ensureRunning(request: RunRequest<TSpec>, options: CallOptions = {}): Promise<Observation> {
    const key = `${request.copy.instanceId}/${request.copy.revision}`;
    const asks = this.#asks.get(key) ?? { newest: Symbol(), open: 0 };
    const ask = Symbol();
    return this.#guard.call(
      'ensureRunning',
      {
        timeoutMs: this.#guard.deadlines.ensureRunningMs,
        signal: options.signal,
        onLate: () => {
          if (asks.newest === ask && !lostLease(options.signal)) this.#destroy(key, request);
        },
      },
      async (bounds) => {
        this.#asks.set(key, asks);
        asks.newest = ask;
        asks.open++;
        try {
          const cleanup = this.#cleanups.get(key);
          if (cleanup !== undefined) {
            // Else the clean-up of an earlier start would destroy what this one makes.
            await cleanup;
            if (bounds.signal.aborted) throw abortError(bounds.signal, 'A start');
          }
          const seen = await this.#provider.ensureRunning(guardedRequest(request, bounds), bounds);
          return this.#guard.fitting('ensureRunning', seen, observation);
        } finally {
          // Not at once: whether the result is late is looked at a few steps from here.
          setImmediate(() => {
            if (--asks.open === 0) this.#asks.delete(key);
          });
        }
      },
    );
  }

  #destroy(key: string, { copy }: RunRequest<TSpec>): void {
    if (this.#guard.closed) return;
    const cleanup = this.#guard
      .background('destroy', this.#guard.deadlines.stopMs, (bounds) =>
        this.#provider.destroy(copy, { graceMs: 0 }, bounds),
      )
      .finally(() => this.#cleanups.delete(key));
    this.#cleanups.set(key, cleanup);
  }
}

function lostLease(signal: AbortSignal | undefined): boolean {
  const reason: unknown = signal?.reason;
  return MCPInfraError.isInstance(reason) && reason.code === 'LEASE_LOST';
}
