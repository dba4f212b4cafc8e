import { randomUUID } from 'node:crypto';
import type { MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import { messageOf } from '../../domain/errors/normalise-error.js';
import type { EventMap } from '../../domain/events/event-map.js';
import { draftEvent } from '../context/event-drafts.js';
import type { ServiceContext } from '../context/service-context.js';

/** A part of the fleet's surroundings and whether it works. */
export interface PartCondition {
  readonly part: string;
  readonly ok: boolean;
  readonly message: string;
}

/** Knows which backends are away; each change of it is told once, by a log line and an event. */
export class FleetCondition {
  readonly #context: ServiceContext;
  readonly #degraded = new Map<string, MCPInfraError>();

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  degraded(part: string, error: MCPInfraError): void {
    const known = this.#degraded.get(part);
    this.#degraded.set(part, error);
    if (known?.code === error.code) return;
    this.#context.logger.warn('the fleet is degraded', { part, code: error.code, message: error.message });
    this.#tell('FleetDegraded', { part, reason: error.code, message: error.message });
  }

  recovered(part: string): void {
    if (!this.#degraded.delete(part)) return;
    this.#context.logger.info('the fleet has recovered', { part });
    this.#tell('FleetRecovered', { part });
  }

  /** The parts that do not work. */
  parts(): readonly PartCondition[] {
    return [...this.#degraded].map(([part, error]) => ({
      part,
      ok: false,
      message: `${error.code}: ${error.message}`,
    }));
  }

  #tell<T extends 'FleetDegraded' | 'FleetRecovered'>(type: T, data: EventMap[T]): void {
    const origin = { subject: 'fleet', tenant: '', actor: 'system', correlationid: randomUUID() };
    const event = draftEvent(this.#context, origin, { type, data });
    this.#context.store.appendEvents([event]).then(
      () => {
        this.#context.committed();
      },
      (error: unknown) => {
        this.#context.logger.warn('a change of the fleet could not be recorded', {
          part: data.part,
          error: messageOf(error),
        });
      },
    );
  }
}
