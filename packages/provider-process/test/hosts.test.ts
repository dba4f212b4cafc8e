import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { formatEphemeralFleet, processIdentity, type ProcessIdentity } from '@mcpinfra/core/plugin';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bearersOf, environmentOf, isAlive, openFleet, script, until } from './fleet.js';

const hostProgram = fileURLToPath(new URL('host.mjs', import.meta.url));
// Neither the end of its input nor SIGTERM ends it, and its child left the process group.
const stubborn = script(`
  process.on('SIGTERM', () => {});
  require('node:child_process').spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  setInterval(() => {}, 1000);`);

/** Starts a host process that runs one server, and waits for the server and its grandchild. */
async function startHost(fleet: string, ending: 'wait' | 'exit' = 'wait') {
  const host = spawn(process.execPath, [hostProgram, fleet, ending, ...stubborn], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    host.kill('SIGKILL');
    for (const pid of bearersOf(fleet)) process.kill(pid, 'SIGKILL');
  });
  await once(host.stdout, 'data');
  await until(() => bearersOf(fleet).length === 2);
  return { host, pids: bearersOf(fleet) };
}

async function killed(fleet: string): Promise<number[]> {
  const { host, pids } = await startHost(fleet);
  host.kill('SIGKILL');
  await once(host, 'exit');
  expect(pids.every(isAlive)).toBe(true);
  return pids;
}

describe('what a killed host left', () => {
  it('is ended by the next host of its fleet', async () => {
    const name = `test-${randomUUID()}`;
    const pids = await killed(name);
    const fleet = await openFleet({}, name);
    expect(pids.some(isAlive)).toBe(false);
    expect(await fleet.provider.list()).toEqual([]);
  });

  it('is shown by list until then, and ended by destroy', async () => {
    const fleet = await openFleet();
    const pids = await killed(fleet.name);
    const [left] = await fleet.provider.list();
    expect(left).toMatchObject({
      copy: { instanceId: 'instance-of-host', revision: 1 },
      storeId: 'store-1',
      state: 'running',
    });
    expect(Math.abs(Date.now() - Date.parse(left!.createdAt))).toBeLessThan(20_000);
    expect(await fleet.provider.observe(left!.copy)).toEqual({ state: 'absent' });
    await fleet.provider.destroy(left!.copy, { graceMs: 100 });
    expect(pids.some(isAlive)).toBe(false);
  });

  it('is left alone by a host of another fleet', async () => {
    const pids = await killed(`test-${randomUUID()}`);
    await openFleet();
    expect(pids.every(isAlive)).toBe(true);
  });

  it('under a fleet that died with its process is ended by any host', async () => {
    const own = await processIdentity();
    const dead: ProcessIdentity = { ...own, startTime: own.startTime - 1 };
    const pids = await killed(formatEphemeralFleet(dead, randomUUID().slice(0, 8)));
    await openFleet();
    expect(pids.some(isAlive)).toBe(false);
  });
});

describe('what a living host runs', () => {
  it('is left alone by another host of its fleet, and shown by list', async () => {
    const name = `test-${randomUUID()}`;
    const { host, pids } = await startHost(name);
    const { provider } = await openFleet({}, `other-${name}`);
    const second = await openFleet({}, name).then((fleet) => fleet.provider);
    expect(pids.every(isAlive)).toBe(true);
    expect(await second.list()).toHaveLength(1);
    expect(await provider.list()).toEqual([]);
    await second.close();
    expect(pids.every(isAlive)).toBe(true);
    host.kill('SIGKILL');
    await once(host, 'exit');
    await openFleet({}, name);
    expect(pids.some(isAlive)).toBe(false);
  });

  it('ends with a host that exits without closing', async () => {
    const fleet = `test-${randomUUID()}`;
    const { host, pids } = await startHost(fleet, 'exit');
    host.stdin.write('exit\n');
    expect(await once(host, 'exit')).toEqual([0, null]);
    await until(() => !pids.some(isAlive));
  });
});

describe('a list', () => {
  it('shows the copies of the whole fleet, each once, with its store', async () => {
    const one = await openFleet();
    const two = await openFleet({}, one.name, 'store-2');
    const [a, b] = [
      await one.start({ command: ['sleep', '60'] }),
      await two.start({ command: ['sleep', '60'] }),
    ];
    const listed = (await one.provider.list()).map(({ copy, storeId, state }) => [copy, storeId, state]);
    expect(listed).toEqual([
      [a.copy, 'store-1', 'running'],
      [b.copy, 'store-2', 'running'],
    ]);
    await Promise.all([one.provider.close(), two.provider.close()]);
  });
});

describe('a process that is not ours', () => {
  it('is never touched, whatever it is called', async () => {
    const fleet = await openFleet();
    const { copy, pids } = await fleet.start({ command: stubborn });
    await until(() => pids().length === 2);
    const marks = environmentOf(pids()[0]!).filter((entry) => entry.startsWith('MCPINFRA_'));
    const environment = Object.fromEntries(marks.map((entry) => entry.split('=', 2) as [string, string]));
    const sibling = spawn('sleep', ['60'], {
      env: { ...environment, MCPINFRA_REVISION: '2' },
      detached: true,
      stdio: 'ignore',
    });
    const stranger = spawn('sleep', ['60'], {
      env: { MCPINFRA_FLEET: fleet.name },
      detached: true,
      stdio: 'ignore',
    });
    onTestFinished(() => {
      for (const child of [sibling, stranger]) child.kill('SIGKILL');
    });
    await fleet.provider.destroy(copy, { graceMs: 100 });
    expect([sibling.pid!, stranger.pid!].every(isAlive)).toBe(true);
    for (const child of [sibling, stranger]) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
});
