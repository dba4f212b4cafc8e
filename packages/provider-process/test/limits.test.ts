import { hostileServer } from '@mcpinfra/tools';
import { describe, expect, it } from 'vitest';
import { exitOf, openFleet, script } from './fleet.js';

describe('a limit', () => {
  it('of memory ends the server that is beyond it, and says so', async () => {
    const fleet = await openFleet();
    const command = [process.execPath, hostileServer, 'oom', '--bytes', String(400 << 20)];
    const { copy } = await fleet.start({ command, resources: { memory_limit: '150m' } });
    const exit = await exitOf(fleet, copy);
    expect(exit).toMatchObject({ code: 'OUT_OF_MEMORY', oomKilled: true, signal: 'SIGKILL' });
    expect(exit.lastLogLines.at(-1)).toMatch(
      /^\[mcpinfra\] Ended: \d+m of memory .* resources\.memory_limit 150m/,
    );
  });

  it('of memory counts all processes of the server, also those that left its group', async () => {
    const fleet = await openFleet();
    const child = 'const held = Buffer.alloc(100 << 20, 1); setInterval(() => held, 1000)';
    const source = `
      const { spawn } = require('node:child_process');
      for (let n = 0; n < 2; n++) spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { detached: true });
      setInterval(() => {}, 1000);`;
    const { copy, pids } = await fleet.start({
      command: script(source),
      resources: { memory_limit: '200m' },
    });
    expect(await exitOf(fleet, copy)).toMatchObject({ code: 'OUT_OF_MEMORY' });
    expect(pids()).toEqual([]);
  });

  it('of processes ends a server that makes too many', async () => {
    const fleet = await openFleet();
    const source = `
      for (let n = 0; n < 40; n++) require('node:child_process').spawn('sleep', ['60'], { stdio: 'ignore' });
      setInterval(() => {}, 1000);`;
    const { copy, pids } = await fleet.start({ command: script(source), resources: { pids_limit: 30 } });
    const exit = await exitOf(fleet, copy);
    expect(exit).toMatchObject({ code: 'PIDS_LIMIT', oomKilled: false });
    expect(exit.lastLogLines.at(-1)).toContain('resources.pids_limit 30');
    expect(pids()).toEqual([]);
  });
});
