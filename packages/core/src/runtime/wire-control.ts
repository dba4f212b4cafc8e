import type { PeerLink } from '../ports/peer-link.js';
import type { StoreIdentity } from '../ports/store.js';
import { LeaseView } from '../services/ownership/lease-view.js';
import { OwnedCopies } from '../services/ownership/owned-copies.js';
import { RemoteOwners } from '../services/ownership/remote-owners.js';
import { Sightings } from '../services/ownership/sightings.js';
import type { ResolvedOptions } from './options.js';
import type { ScopeParts } from './scope.js';
import type { WiredEvents } from './wire-events.js';
import type { WiredWorker } from './wire-worker.js';

/** What callers use of a fleet, wired: its scopes, and the way to copies of other processes. */
export interface WiredControl {
  readonly scopeParts: ScopeParts;
  /** Where other processes reach this one; `undefined` where it does not listen. */
  address(): string | undefined;
  /** Loads the code of the commands that write documents, so that no first one waits for it. */
  load(): Promise<unknown>;
  /** Listens for peers. @throws `INVALID_OPTIONS` */
  open(identity: StoreIdentity): Promise<void>;
  close(): Promise<void>;
}

/** Wires what commands and calls go through. */
export function wireControl(
  { parts, leases }: Pick<WiredWorker, 'parts' | 'leases'>,
  { hub, subscriptions }: Pick<WiredEvents, 'hub' | 'subscriptions'>,
  settings: Pick<ResolvedOptions, 'peer'>,
): WiredControl {
  const { context } = parts;
  let peer: PeerLink | undefined;
  const owned = new OwnedCopies(context, parts);
  const leaseView = new LeaseView(context, leases.holderId);
  const remote = new RemoteOwners(context, () => peer, leaseView);
  const sightings = new Sightings(context, leases, leaseView);
  return {
    scopeParts: { ...parts, owned, remote, sightings, hub, subscriptions, claims: leases },
    address: () => peer?.address,
    load: () =>
      Promise.all([
        import('../services/instances/create-instance.js'),
        import('../services/instances/replace-document.js'),
        import('../services/secrets/secret-writes.js'),
      ]),
    open: async ({ fleet }) => {
      if (settings.peer === null || peer) return;
      const { clock, logger } = context;
      const { openPeerLink } = await import('../mcp/peer/open-peer-link.js');
      peer = await openPeerLink({ settings: settings.peer, fleet, host: owned, clock, logger });
    },
    close: async () => {
      await peer?.close();
      peer = undefined;
    },
  };
}
