import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { formatEphemeralFleet, parseEphemeralFleet } from '../domain/fleet/ephemeral-fleet.js';
import { isSurelyDead, processIdentity } from './process-identity.js';

describe('processIdentity', () => {
  it('is of this process and stays the same', async () => {
    const identity = await processIdentity();
    expect(identity.pid).toBe(process.pid);
    expect(identity.machineId).toMatch(/^[0-9a-f]{32}$/);
    expect(identity.bootId).toMatch(/^[0-9a-f]{32}$/);
    expect(await processIdentity()).toEqual(identity);
  });

  it.runIf(process.platform === 'linux')('has a start time', async () => {
    expect((await processIdentity()).startTime).toBeGreaterThan(0);
  });
});

describe('isSurelyDead', () => {
  it('is false of this process, also by the name of its fleet', async () => {
    const identity = await processIdentity();
    expect(await isSurelyDead(identity)).toBe(false);
    const owner = parseEphemeralFleet(formatEphemeralFleet(identity, 'a'));
    expect(owner && (await isSurelyDead(owner))).toBe(false);
  });

  it('is true of a process that has ended', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    expect(await isSurelyDead({ ...(await processIdentity()), pid: child.pid ?? 0 })).toBe(true);
  });

  it.runIf(process.platform === 'linux')(
    'is true of another boot, and of a pid that was given anew',
    async () => {
      const identity = await processIdentity();
      expect(await isSurelyDead({ ...identity, bootId: 'f'.repeat(32) })).toBe(true);
      expect(await isSurelyDead({ ...identity, startTime: identity.startTime + 1 })).toBe(true);
    },
  );

  it('is false where it cannot be known', async () => {
    const identity = await processIdentity();
    expect(await isSurelyDead({ ...identity, machineId: 'f'.repeat(32), bootId: 'f'.repeat(32) })).toBe(
      false,
    );
    expect(await isSurelyDead({ ...identity, bootId: '0'.repeat(32) })).toBe(false);
    expect(await isSurelyDead({ ...identity, startTime: 0 })).toBe(false);
  });
});
