import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { FairSlots } from '../async/fair-slots.js';
import { Recurring } from '../async/recurring.js';
import { TimerHeap } from '../async/timer-heap.js';
import { messageOf } from '../domain/errors/normalise-error.js';
import type { Event } from '../domain/events/event.js';
import type { ServiceContext } from '../services/context/service-context.js';
import type { FleetCondition } from '../services/events/fleet-condition.js';
import { HealthMonitor } from '../services/health/health-monitor.js';
import { LeaseKeeper } from '../services/ownership/lease-keeper.js';
import { LinkRegistry } from '../services/ownership/link-registry.js';
import { ProviderReach } from '../services/ownership/provider-reach.js';
import type { ReconcileServices } from '../services/reconcile/reconcile-services.js';
import { SecretSource } from '../services/secrets/secret-source.js';
import type { ResolvedOptions } from './options.js';
import type { Worker } from './worker.js';

const alignEveryMs = 15_000;

/** What the work of a fleet asks of its other parts. */
export interface WireWorkerOptions {
  readonly condition: FleetCondition;
  /** Where other processes reach this one. */
  readonly address: () => string | undefined;
  /** Told when leases were lost or gained. */
  readonly onOwnership: () => void;
  /** Sets this process's clock by the store's. */
  readonly alignClock: () => Promise<void>;
  readonly settings: Pick<ResolvedOptions, 'roles' | 'concurrency' | 'resyncEveryMs'>;
}

/** The work of a fleet, wired: what is owned, what it reaches, and what makes true what is wanted. */
export interface WiredWorker {
  readonly parts: ReconcileServices;
  readonly leases: LeaseKeeper;
  readonly reach: ProviderReach;
  /** Absent in a process that only controls, and before `load`. */
  readonly worker: Worker | undefined;
  /** Sets this process's clock by the store's, now and again and again. */
  readonly aligning: Recurring;
  /** Makes the worker, with its code, which a process that only controls never loads. Idempotent. */
  load(): Promise<void>;
  /** Takes in what happened in the fleet, in whichever process. */
  readonly heard: (event: Event) => void;
}

/** Wires what owns instances and works on them. */
export function wireWorker(context: ServiceContext, options: WireWorkerOptions): WiredWorker {
  const { clock } = context;
  const { condition, onOwnership } = options;
  const { roles, concurrency, resyncEveryMs } = options.settings;
  const secrets = new SecretSource(context);
  const links = new LinkRegistry(context, secrets, {
    toolsChanged: (id) => health.toolsChanged(id),
    owns: (key) => leases.fence(key) !== null,
  });
  const health = new HealthMonitor(context, {
    links,
    secrets,
    slots: new FairSlots(concurrency.probes, clock),
    timers: (due) => new TimerHeap<string>(clock, due),
    silent: (type) => condition.evidence(`provider:${type}`),
  });
  const reach = new ProviderReach(context, {
    condition,
    onAnswer: (provider) => worker?.watch(provider),
    onReached: () => void leases.look(),
    onBack: (provider) => worker?.recovered(provider),
  });
  const dropLost = (): Promise<void> => links.dropLost();
  const leases = new LeaseKeeper(context, {
    holderId: `${hostname()}-${String(process.pid)}-${randomBytes(4).toString('hex')}`,
    worker: roles.has('worker'),
    condition,
    placements: () => reach.placements,
    address: options.address,
    letGo: dropLost,
    onChange: () => {
      worker?.ownershipChanged();
      void dropLost();
      onOwnership();
    },
  });
  const parts: ReconcileServices = {
    context,
    links,
    secrets,
    condition,
    health,
    ownership: leases,
    startSlots: new FairSlots(concurrency.starts, clock),
    pullSlots: new FairSlots(concurrency.pulls, clock),
  };
  let worker: Worker | undefined;
  const aligning = new Recurring({
    clock,
    retryMs: alignEveryMs,
    work: async () => {
      await options.alignClock();
      condition.report('clock', true);
      return alignEveryMs;
    },
    failed: (error) => {
      condition.report('clock', false, `The store did not say what time it is: ${messageOf(error)}`);
    },
  });
  const heard = (event: Event): void => {
    // Also where this process never owned it: whoever asks for an instance keeps something of it.
    if (event.type === 'MCPServerInstanceRemoved') {
      secrets.forget(event.subject);
      void links.forget(event.subject);
    }
    worker?.heard(event);
  };
  return {
    parts,
    leases,
    reach,
    aligning,
    heard,
    get worker() {
      return worker;
    },
    load: async () => {
      if (!roles.has('worker')) return;
      const { Worker } = await import('./worker.js');
      worker ??= new Worker(parts, { parallel: concurrency.reconciles, resyncEveryMs });
    },
  };
}
