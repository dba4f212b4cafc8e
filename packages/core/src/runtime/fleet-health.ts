import { instanceStatuses } from '../domain/instance/mcp-server-instance.js';
import { withDeadline } from '../async/deadline.js';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import { messageOf } from '../domain/errors/normalise-error.js';
import { timestamp } from '../services/context/event-drafts.js';
import type { ServiceContext } from '../services/context/service-context.js';
import type { Sightings } from '../services/ownership/sightings.js';
import type { FleetCondition, PartCondition } from '../services/events/fleet-condition.js';

/** How the fleet's surroundings are. */
export interface FleetHealth {
  readonly status: 'ok' | 'degraded' | 'stopped';
  /** The parts that do not work: backends, and what the fleet itself does in the background. */
  readonly degraded: readonly PartCondition[];
  /** How many instances are in each status; empty while the store does not say. */
  readonly instances: Readonly<Record<string, number>>;
}

/** So long the store has to answer, in milliseconds. */
const storeHasMs = 2_000;

/** Says how a fleet that runs is, whatever hangs. Never rejects. */
export async function fleetHealth(
  context: ServiceContext,
  { condition, sightings }: { readonly condition: FleetCondition; readonly sightings: Sightings },
): Promise<FleetHealth> {
  const found: PartCondition[] = [];
  const note = (part: string, message: string): void => {
    found.push({ part, ok: false, message, since: timestamp(context) });
  };
  let instances: Readonly<Record<string, number>> = {};
  try {
    instances = await countInstances(context, sightings);
  } catch (error) {
    note('store', messageOf(error));
  }
  const known = condition.parts();
  const parts = new Set(known.map(({ part }) => part));
  const degraded = [...known, ...found.filter(({ part }) => !parts.has(part))];
  return { status: degraded.length === 0 ? 'ok' : 'degraded', degraded, instances };
}

function countInstances(
  { store, clock }: ServiceContext,
  sightings: Sightings,
): Promise<Readonly<Record<string, number>>> {
  return withDeadline(
    async (signal) => {
      const counts = instanceStatuses.map(
        async (status) => [status, await store.instances.count({ status: [status] }, { signal })] as const,
      );
      return asSeen(await Promise.all(counts), await sightings.unseen({ signal }));
    },
    {
      clock,
      timeoutMs: storeHasMs,
      expired: () =>
        mcpError(
          'STORE_FAILED',
          `The store did not answer within ${storeHasMs} ms; look whether it is reachable.`,
        ),
    },
  );
}

/** Takes what ended with the process that ran it for what it is: about to be started. */
function asSeen(
  counts: readonly (readonly [string, number])[],
  unseen: ReadonlyMap<string, number>,
): Readonly<Record<string, number>> {
  const all = [...unseen.values()].reduce((sum, count) => sum + count, 0);
  return Object.fromEntries(
    counts.map(([status, count]) => [
      status,
      status === 'pending' ? count + all : count - (unseen.get(status) ?? 0),
    ]),
  );
}
