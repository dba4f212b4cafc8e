import { memberLease, shardLeases } from './lease-names.js';

/** A lease somebody holds. */
interface HeldLease {
  readonly name: string;
  readonly holderId: string;
}

/** What a worker should do to have its share of a placement. */
export interface ShareChange {
  /** Leases that nobody holds and that are its to take. */
  readonly take: readonly string[];
  /** Leases that it holds beyond its share. */
  readonly give: readonly string[];
}

/**
 * Says which shards of a placement a worker should take or give back, so that the workers that reach it have the same
 * number, give or take one. Workers that see the same leases come to shares that add up to all shards.
 *
 * @param leases - every lease in force, those of the workers' membership included
 */
export function fairShare(
  leases: readonly HeldLease[],
  placement: string,
  { me, mayGive }: { readonly me: string; readonly mayGive: (lease: string) => boolean },
): ShareChange {
  const shards = shardLeases(placement);
  const holders = new Map(leases.map(({ name, holderId }) => [name, holderId]));
  const isMember = (id: string): boolean => id === me || holders.get(memberLease(placement, id)) === id;
  const members = [...new Set([me, ...holders.values()])].filter(isMember).sort();
  const rank = members.indexOf(me);
  const each = Math.floor(shards.length / members.length);
  const share = each + (rank < shards.length % members.length ? 1 : 0);
  const mine = shards.filter((name) => holders.get(name) === me);
  // Each begins elsewhere, so that workers which come together do not reach for the same.
  const first = rank * each;
  const free = [...shards.slice(first), ...shards.slice(0, first)].filter((name) => !holders.has(name));
  const surplus = Math.max(0, mine.length - share);
  return {
    take: free.slice(0, Math.max(0, share - mine.length)),
    give: mine.filter(mayGive).slice(0, surplus),
  };
}
