import { createHash } from 'node:crypto';

/** Into how many shards the instances of a placement fall. */
export const shardCount = 16;

/** The shard of an instance: a hash of its id, the same in every process. */
export function shardOf(instanceId: string): number {
  return createHash('sha256').update(instanceId).digest().readUInt8(0) % shardCount;
}
