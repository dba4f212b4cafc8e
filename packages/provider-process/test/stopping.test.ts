import { fixtureServer, hostileServer } from '@mcpinfra/tools';
import { describe, expect, it } from 'vitest';
import { ask, bearersOf, dialStdio, isAlive, lineWith, openFleet, script, until } from './fleet.js';

const fixture = [process.execPath, fixtureServer, '--stdio'];
const stubborn = [process.execPath, hostileServer, 'ignore-eof'];

describe('a stop', () => {
  it('is polite, and keeps the copy for a restart', async () => {
    const fleet = await openFleet();
    const source = `
      process.stdin.resume().on('end', () => console.error('end of input'));
      process.on('SIGTERM', () => setTimeout(() => { console.error('bye'); process.exit(0); }, 50));
      setInterval(() => {}, 1000);
      console.error('ready');`;
    const { request, copy } = await fleet.start({ command: script(source) });
    await lineWith(fleet, copy, 'ready');
    await fleet.provider.ensureStopped(copy, { graceMs: 5_000 });
    const seen = await fleet.provider.observe(copy);
    expect(seen).toMatchObject({ state: 'exited', exit: { exitCode: 0, signal: null } });
    expect(seen.state === 'exited' && seen.exit.lastLogLines.toSorted()).toEqual([
      'bye',
      'end of input',
      'ready',
    ]);
    expect(seen.state === 'exited' && seen.exit.code).toBeUndefined();
    expect(await fleet.provider.ensureRunning(request)).toMatchObject({ state: 'running' });
  });

  it('gives workers of the server the same time as the server', async () => {
    const fleet = await openFleet();
    const source = `
      const worker = 'process.on("SIGTERM", () => setTimeout(() => { console.error("worker done"); process.exit(); }, 300)); setInterval(() => {}, 1000); console.error("worker ready")';
      require('node:child_process').spawn(process.execPath, ['-e', worker], { stdio: ['ignore', 'ignore', 'inherit'] });
      process.on('SIGTERM', () => process.exit(0));`;
    const { copy } = await fleet.start({ command: script(source) });
    await lineWith(fleet, copy, 'worker ready');
    await fleet.provider.ensureStopped(copy, { graceMs: 5_000 });
    await lineWith(fleet, copy, 'worker done');
  });

  it('kills what does not end in time', async () => {
    const fleet = await openFleet();
    const started = await fleet.start({ command: stubborn });
    const { copy, pids } = started;
    await ask(await dialStdio(fleet, started), { jsonrpc: '2.0', id: 1, method: 'ping' });
    await fleet.provider.ensureStopped(copy, { graceMs: 300 });
    expect(pids()).toEqual([]);
    expect(await fleet.provider.observe(copy)).toMatchObject({
      state: 'exited',
      exit: { signal: 'SIGKILL' },
    });
  });

  it('is at once without a grace', async () => {
    const fleet = await openFleet();
    const { copy, pids } = await fleet.start({ command: stubborn });
    await fleet.provider.destroy(copy, { graceMs: 0 });
    expect(pids()).toEqual([]);
    expect(await fleet.provider.observe(copy)).toEqual({ state: 'absent' });
  });

  it('of what is absent resolves', async () => {
    const fleet = await openFleet();
    await fleet.provider.ensureStopped(fleet.newCopy(), { graceMs: 1_000 });
    await fleet.provider.destroy(fleet.newCopy(), { graceMs: 1_000 });
    const { copy } = await fleet.start({ command: fixture });
    await fleet.provider.destroy(copy, { graceMs: 1_000 });
    await fleet.provider.destroy(copy, { graceMs: 1_000 });
    expect(await fleet.provider.list()).toEqual([]);
  });

  it('finds grandchildren that left the process group', async () => {
    const fleet = await openFleet();
    const { copy, pids } = await fleet.start({
      command: [process.execPath, hostileServer, 'ignore-eof-and-fork'],
    });
    const grandchild = Number((await lineWith(fleet, copy, 'grandchild ')).split(' ')[1]);
    expect(pids()).toContain(grandchild);
    await fleet.provider.destroy(copy, { graceMs: 100 });
    expect(isAlive(grandchild)).toBe(false);
  });

  it('finds a child that threw away its environment', async () => {
    const fleet = await openFleet();
    const source = `
      const child = require('node:child_process').spawn('sleep', ['60'], { env: {}, stdio: 'ignore' });
      console.error('child', child.pid);`;
    const { copy } = await fleet.start({ command: script(`${source} setInterval(() => {}, 1000)`) });
    const child = Number((await lineWith(fleet, copy, 'child ')).split(' ')[1]);
    process.kill(bearersOf(fleet.name)[0]!, 'SIGKILL');
    await until(() => !isAlive(child));
  });

  it('that is hastened does not wait for the first grace', async () => {
    const fleet = await openFleet();
    const { copy } = await fleet.start({ command: stubborn });
    const began = performance.now();
    const first = fleet.provider.ensureStopped(copy, { graceMs: 60_000 });
    await new Promise(setImmediate);
    await fleet.provider.destroy(copy, { graceMs: 0 });
    await first;
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  it('that is aborted rejects at once, and can be asked for again', async () => {
    const fleet = await openFleet();
    const { copy, pids } = await fleet.start({ command: stubborn });
    const controller = new AbortController();
    const stop = fleet.provider.ensureStopped(copy, { graceMs: 60_000 }, { signal: controller.signal });
    await new Promise(setImmediate);
    controller.abort();
    await expect(stop).rejects.toMatchObject({ code: 'ABORTED' });
    await fleet.provider.ensureStopped(copy, { graceMs: 0 });
    expect(pids()).toEqual([]);
  });

  it('and a start at the same time happen one after the other', async () => {
    const fleet = await openFleet();
    const { request, copy, pids } = await fleet.start({ command: fixture });
    const { provider } = fleet;
    await Promise.all([
      provider.ensureStopped(copy, { graceMs: 1_000 }),
      provider.ensureRunning(request),
      provider.destroy(copy, { graceMs: 0 }),
      provider.ensureRunning(request),
    ]);
    expect(pids()).toHaveLength(1);
    expect(await provider.observe(copy)).toMatchObject({ state: 'running' });
  });
});

describe('closing', () => {
  it('ends every server, refuses new ones, and may be repeated', async () => {
    const fleet = await openFleet();
    await fleet.start({ command: fixture });
    await fleet.start({ command: [process.execPath, hostileServer, 'fork-setsid'] });
    await Promise.all([fleet.provider.close(), fleet.provider.close()]);
    expect(bearersOf(fleet.name)).toEqual([]);
    await expect(fleet.start({ command: fixture })).rejects.toMatchObject({ code: 'ALREADY_STOPPED' });
  });

  it('ends a start that waits', async () => {
    const fleet = await openFleet();
    const request = fleet.request({ command: fixture }, { environment: () => new Promise(() => {}) });
    const start = fleet.provider.ensureRunning(request);
    const refused = expect(start).rejects.toMatchObject({ code: 'ALREADY_STOPPED' });
    await new Promise(setImmediate);
    await fleet.provider.close();
    await refused;
  });

  it('that is aborted waits for nobody, and still leaves nothing', async () => {
    const fleet = await openFleet();
    await fleet.start({ command: stubborn, lifecycle: { stop_grace: 60 } });
    await fleet.provider.close({ signal: AbortSignal.timeout(50) });
    expect(bearersOf(fleet.name)).toEqual([]);
  });
});
