import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fairShare } from './fair-share.js';
import { memberLease, shardLease, shardLeases } from './lease-names.js';

const placement = 'engine:a';

describe('fairShare', () => {
  it('gives everything to a worker that is alone', () => {
    expect(fairShare([], placement, { me: 'a', mayGive: () => true })).toEqual({
      take: shardLeases(placement),
      give: [],
    });
  });

  it('gives back what is too much when another joins, but not what has to stay', () => {
    const leases = [
      ...shardLeases(placement).map((name) => ({ name, holderId: 'a' })),
      { name: memberLease(placement, 'b'), holderId: 'b' },
    ];
    expect(fairShare(leases, placement, { me: 'a', mayGive: () => true }).give).toHaveLength(8);
    expect(fairShare(leases, placement, { me: 'a', mayGive: () => false }).give).toEqual([]);
    expect(fairShare(leases, placement, { me: 'b', mayGive: () => true })).toEqual({ take: [], give: [] });
  });

  it('counts no worker of another placement', () => {
    const leases = [{ name: memberLease('engine:b', 'b'), holderId: 'b' }];
    expect(fairShare(leases, placement, { me: 'a', mayGive: () => true }).take).toHaveLength(16);
  });

  it('comes to shares that differ by one at most and leave no shard alone, whoever holds what', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), { minLength: 1 }),
        fc.array(fc.nat(), { minLength: 16, maxLength: 16 }),
        (workers, choices) => {
          const holders = new Map<string, string>();
          choices.forEach((choice, shard) => {
            const holder = workers[choice % (workers.length + 1)];
            if (holder !== undefined) holders.set(shardLease(placement, shard), holder);
          });
          const members = workers.map((id) => ({ name: memberLease(placement, id), holderId: id }));
          // Everybody's turn three times: what one gives back another has taken by then.
          for (let turn = 0; turn < 3; turn++) {
            for (const me of workers) {
              const leases = [...members, ...[...holders].map(([name, holderId]) => ({ name, holderId }))];
              const { take, give } = fairShare(leases, placement, { me, mayGive: () => true });
              for (const name of give) holders.delete(name);
              for (const name of take) holders.set(name, me);
            }
          }
          expect(holders.size).toBe(16);
          const counts = workers.map((id) => [...holders.values()].filter((holder) => holder === id).length);
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});
