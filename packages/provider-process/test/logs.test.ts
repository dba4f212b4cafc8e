import { readFileSync } from 'node:fs';
import { hostileServer } from '@mcpinfra/tools';
import { Secret } from '@mcpinfra/core/plugin';
import { describe, expect, it } from 'vitest';
import { collect, exitOf, lineWith, openFleet, script, until } from './fleet.js';

const counting = script('let n = 0; setInterval(() => console.error("line", ++n), 20)');

describe('logs', () => {
  it('are the newest lines, oldest first, with time and stream', async () => {
    const fleet = await openFleet();
    const source = 'for (let n = 1; n <= 50; n++) console.error("line", n)';
    const { copy } = await fleet.start({ command: script(source) });
    await exitOf(fleet, copy);
    const all = await collect(fleet.provider.logs(copy, {}));
    expect(all).toHaveLength(50);
    expect(await collect(fleet.provider.logs(copy, { tail: 2 }))).toEqual(['line 49', 'line 50']);
    expect(await collect(fleet.provider.logs(copy, { tail: 0 }))).toEqual([]);
    for await (const line of fleet.provider.logs(copy, { tail: 1 })) {
      expect(line).toEqual({ at: expect.stringMatching(/Z$/) as string, stream: 'stderr', text: 'line 50' });
    }
  });

  it('go on while they are followed, until aborted', async () => {
    const fleet = await openFleet();
    const { copy } = await fleet.start({ command: counting });
    const controller = new AbortController();
    const texts: string[] = [];
    for await (const line of fleet.provider.logs(copy, { follow: true }, { signal: controller.signal })) {
      texts.push(line.text);
      if (texts.length === 5) controller.abort();
    }
    expect(texts).toEqual([1, 2, 3, 4, 5].map((n) => `line ${n}`));
  });

  it('that are followed and silent end when aborted', async () => {
    const fleet = await openFleet();
    const { copy } = await fleet.start({ command: ['sleep', '60'] });
    const followed = fleet.provider.logs(copy, { follow: true }, { signal: AbortSignal.timeout(50) });
    expect(await collect(followed)).toEqual([]);
  });

  it('that are followed go on over a restart and end when the copy is destroyed', async () => {
    const fleet = await openFleet();
    const { request, copy } = await fleet.start({ command: counting });
    const followed = collect(fleet.provider.logs(copy, { follow: true }));
    await lineWith(fleet, copy, 'line 2');
    await fleet.provider.ensureStopped(copy, { graceMs: 0 });
    await fleet.provider.ensureRunning(request);
    await until(
      async () =>
        (await collect(fleet.provider.logs(copy, {}))).filter((text) => text === 'line 1').length === 2,
    );
    await fleet.provider.destroy(copy, { graceMs: 0 });
    expect((await followed).filter((text) => text === 'line 1')).toHaveLength(2);
  });

  it('of what is absent are none', async () => {
    const fleet = await openFleet();
    expect(await collect(fleet.provider.logs(fleet.newCopy(), { follow: true }))).toEqual([]);
  });

  it('cut long lines, and keep what has no end of line', async () => {
    const fleet = await openFleet();
    const source = 'process.stderr.write("x".repeat(1e6) + "\\nhalf a line")';
    const { copy } = await fleet.start({ command: script(source) });
    await exitOf(fleet, copy);
    const [long, half] = await collect(fleet.provider.logs(copy, {}));
    expect(long).toBe(`${'x'.repeat(16_384)} [cut]`);
    expect(half).toBe('half a line');
  });

  it('of a server that floods stay small', async () => {
    const fleet = await openFleet();
    const command = [process.execPath, hostileServer, 'flood-stderr', '--bytes', String(100 << 20)];
    const { copy } = await fleet.start({ command, resources: { memory_limit: '8g' } });
    const before = process.memoryUsage().rss;
    await until(async () => {
      const lines = await collect(fleet.provider.logs(copy, {}));
      return lines.length > 500 && lines.join('').length <= 1_000_000;
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
  });
});

describe('a secret', () => {
  it('is in no log line and no exit record', async () => {
    const fleet = await openFleet();
    const secret = 'canary-4f2a9c17';
    const source = `
      console.error('token', process.env.TOKEN, Buffer.from(process.env.TOKEN).toString('base64'));
      console.error('x'.repeat(16370) + process.env.TOKEN);
      process.exitCode = 1;`;
    const { copy } = await fleet.start({ command: script(source) }, { TOKEN: new Secret(secret) });
    const exit = await exitOf(fleet, copy);
    const lines = await collect(fleet.provider.logs(copy, {}));
    expect(exit.lastLogLines[0]).toBe('token [secret] [secret]');
    expect(lines).toHaveLength(2);
    expect(JSON.stringify(exit)).not.toContain('canary');
    expect(JSON.stringify(lines)).not.toContain('canary');
  });

  it('is in no log of a server that writes down its environment', async () => {
    const fleet = await openFleet();
    const command = [process.execPath, hostileServer, 'leak-secret'];
    const { copy } = await fleet.start({ command }, { API_KEY: new Secret('canary-4f2a9c17') });
    expect(await lineWith(fleet, copy, 'starting with')).toContain('API_KEY=[secret]');
  });

  it('is in no argument, but in the environment of the server', async () => {
    const fleet = await openFleet();
    const { pids } = await fleet.start(
      { command: ['sleep', '60'] },
      { API_KEY: new Secret('canary-4f2a9c17') },
    );
    const [pid] = pids();
    expect(readFileSync(`/proc/${pid!}/cmdline`, 'utf8')).toBe('sleep\0' + '60\0');
    expect(readFileSync(`/proc/${pid!}/environ`, 'utf8')).toContain('API_KEY=canary-4f2a9c17');
  });
});
