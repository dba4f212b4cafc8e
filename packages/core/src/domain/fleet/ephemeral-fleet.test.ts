import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatEphemeralFleet, parseEphemeralFleet } from './ephemeral-fleet.js';

const hex = fc.string({
  unit: fc.integer({ min: 0, max: 15 }).map((digit) => digit.toString(16)),
  minLength: 32,
  maxLength: 32,
});

describe('the name of an ephemeral fleet', () => {
  it('tells its owner, and is a label everywhere', () => {
    const identity = fc.record({
      machineId: hex,
      bootId: hex,
      pid: fc.nat({ max: 4_194_304 }),
      startTime: fc.nat({ max: 1e12 }),
    });
    const property = fc.property(identity, hex, (owner, random) => {
      const name = formatEphemeralFleet(owner, random.slice(0, 8));
      expect(name).toMatch(/^[a-z0-9-]{1,63}$/);
      expect(parseEphemeralFleet(name)).toEqual({
        ...owner,
        machineId: owner.machineId.slice(0, 8),
        bootId: owner.bootId.slice(0, 8),
      });
    });
    fc.assert(property);
  });

  it('is told from the names of other fleets', () => {
    for (const name of [
      '',
      'memory',
      'blue',
      'fleet-0123456789ab',
      'memory-0-0-1-1-a',
      'memory-01234567-01234567-1-x-a',
    ]) {
      expect(parseEphemeralFleet(name)).toBeUndefined();
    }
  });
});
