import type { ErrorCode } from '../../domain/errors/error-codes.js';
import type { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import type { Timestamp } from '../../domain/server/mcp-server.js';
import { timestamp } from '../context/event-drafts.js';
import type { ServiceContext } from '../context/service-context.js';

/** A part of the fleet's surroundings, or of its own work in the background, and whether it works. */
export interface PartCondition {
  /** `store`, `event-bus`, `provider:docker`, `relay`, `subscription:…` and the like. */
  readonly part: string;
  readonly ok: boolean;
  readonly message: string;
  /** Since when it is so. */
  readonly since: Timestamp;
}

/** What is told of a backend by events. */
export interface Trouble {
  /** The code of the error. */
  readonly reason: ErrorCode;
  readonly message: string;
}

/**
 * Knows what does not work: backends, and the fleet's own parts in the background.
 *
 * The condition of a backend is said by its one owner with `degraded` and `recovered`, and told by events. What others
 * meet with is `evidence`, upon which the owner looks for itself: one sick copy is no sick engine. Parts of the fleet
 * itself `report`; they are shown and logged, and make no events.
 */
export class FleetCondition {
  readonly #context: ServiceContext;
  readonly #failing = new Map<string, PartCondition>();
  readonly #troubles = new Map<string, Trouble>();
  readonly #working = new Set<string>();
  readonly #onChange: () => void;
  readonly #doubters = new Map<string, () => void>();

  /** @param onChange - told when a backend was found away or back */
  constructor(context: ServiceContext, onChange: () => void = () => undefined) {
    this.#context = context;
    this.#onChange = onChange;
  }

  /** The backends that are away. */
  get troubles(): ReadonlyMap<string, Trouble> {
    return this.#troubles;
  }

  /** Whether the owner of a backend has found it working. */
  isWorking(part: string): boolean {
    return this.#working.has(part);
  }

  /** A backend is away. To be said by its owner only. */
  degraded(part: string, error: MCPInfraError): void {
    const { code, message } = error;
    const isNew = !this.#troubles.has(part);
    this.#troubles.set(part, { reason: code, message });
    this.#working.delete(part);
    this.#note(part, `${code}: ${message}`);
    if (!isNew) return;
    this.#context.logger.warn('the fleet is degraded', { part, code, error: message });
    this.#onChange();
  }

  /** A backend works. To be said by its owner only. */
  recovered(part: string): void {
    const isNew = !this.#working.has(part);
    this.#working.add(part);
    this.#failing.delete(part);
    if (this.#troubles.delete(part)) this.#context.logger.info('the fleet has recovered', { part });
    if (isNew) this.#onChange();
  }

  /** Whether a backend works is not known here any more. To be said by its owner only. */
  unknown(part: string): void {
    this.#troubles.delete(part);
    this.#working.delete(part);
    this.#failing.delete(part);
  }

  /** Says whether a part of the fleet's own work goes on. Cheap: may be said as often as it is done. */
  report(part: string, ok: boolean, message = ''): void {
    const was = this.#failing.has(part);
    if (ok) this.#failing.delete(part);
    else this.#note(part, message);
    if (was !== ok) return;
    if (ok) this.#context.logger.info('a part works again', { part });
    else this.#context.logger.warn('a part does not work', { part, error: message });
  }

  /** Somebody met with what may come of a backend that is away: its owner looks for itself. */
  evidence(part: string): void {
    this.#doubters.get(part)?.();
  }

  /** Registers the owner of a backend's condition. */
  onEvidence(part: string, look: () => void): void {
    this.#doubters.set(part, look);
  }

  /** The parts that do not work. */
  parts(): readonly PartCondition[] {
    return [...this.#failing.values()];
  }

  #note(part: string, message: string): void {
    const since = this.#failing.get(part)?.since ?? timestamp(this.#context);
    this.#failing.set(part, { part, ok: false, message, since });
  }
}
