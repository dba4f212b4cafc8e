import { shardCount } from '../shard.js';

/** The lease of the process that numbers and publishes events. */
export const relayLease = 'relay';

/** The lease of the process that is just telling how the fleet's backends are. */
export const newsLease = 'news';

/** The lease of the process that sees a backend away, has that told, and will tell its end. */
export function troubleLease(part: string): string {
  return `news:${part}`;
}

/** The lease of who works on a shard of a placement. */
export function shardLease(placement: string, shard: number): string {
  return `${placement}/${String(shard)}`;
}

/** Every shard's lease of a placement. */
export function shardLeases(placement: string): readonly string[] {
  return Array.from({ length: shardCount }, (_, shard) => shardLease(placement, shard));
}

/** The lease by which a worker says that it reaches a placement, whether or not it has a shard of it. */
export function memberLease(placement: string, holderId: string): string {
  return `${placement}/member/${holderId}`;
}

const groupPrefix = 'group:';

/** The lease of the process that handles the events of a durable subscription. */
export function groupLease(group: string): string {
  return `${groupPrefix}${group}`;
}

export function isGroupLease(lease: string): boolean {
  return lease.startsWith(groupPrefix);
}
