import { describe, expect, it, vi } from 'vitest';
import { LogRing } from './log-ring.js';
import { ServerRun } from './server-run.js';
import { spawnServer } from './spawn-server.js';

async function run(code: string, scrub: (text: string) => string) {
  const command = [process.execPath, '-e', code];
  const child = await spawnServer({ command, cwd: undefined, environment: {} });
  const logs = new LogRing();
  const server = new ServerRun({
    child,
    endpoint: { transport: 'stdio' },
    port: undefined,
    logs,
    scrub,
    isMeant: () => false,
  });
  return { server, logs };
}

describe('ServerRun', () => {
  const thrower = (): never => {
    throw new RangeError('thrown by the scrubber');
  };

  it('ends with what is known when its lines cannot be scrubbed', async () => {
    const { server } = await run(`console.error('x'.repeat(50_000)); process.exitCode = 3`, thrower);
    const { exit } = await server.ended;
    expect(exit).toMatchObject({ exitCode: 3, code: 'INTERNAL' });
    expect(exit.lastLogLines.join()).toContain('thrown by the scrubber');
  });

  it('leaves out what a server writes too fast, says how much, and keeps no half of a line', async () => {
    const flood = `
      const line = 'flood '.repeat(20) + 'end\\n';
      for (let at = 0; at < 200; at += 1) require('fs').writeSync(2, line.repeat(1_000));
      setInterval(() => require('fs').writeSync(2, 'calm\\n'), 100);
    `;
    const { server, logs } = await run(flood, (text) => text);
    await vi.waitFor(() => expect(logs.since(0).map(({ text }) => text)).toContain('calm'), {
      timeout: 30_000,
    });
    const texts = logs.since(0).map(({ text }) => text);
    expect(texts.some((text) => /^\[mcpinfra\] \d{6,} bytes came too fast/u.test(text))).toBe(true);
    expect(texts.filter((text) => !/^(?:flood .*end|calm|\[mcpinfra\].*)$/u.test(text))).toEqual([]);
    await server.stop(0);
  }, 40_000);
});
