import { once } from 'node:events';
import { fixtureServer, hostileServer } from '@mcpinfra/tools';
import { describe, expect, it } from 'vitest';
import { ask, dialStdio, exitOf, lineWith, openFleet, script, until } from './fleet.js';

const fixture = [process.execPath, fixtureServer, '--stdio'];
const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };

describe('a channel', () => {
  it('carries messages both ways', async () => {
    const fleet = await openFleet();
    const channel = await dialStdio(fleet, await fleet.start({ command: fixture }));
    expect(await ask(channel, ping)).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
  });

  it('carries a message of 50 MB', async () => {
    const fleet = await openFleet();
    const started = await fleet.start({ command: [process.execPath, hostileServer, 'huge'] });
    const channel = await dialStdio(fleet, started);
    channel.input.write(`${JSON.stringify({ ...ping, method: 'tools/call', params: { name: 'echo' } })}\n`);
    let bytes = 0;
    channel.output.on('data', (chunk: Buffer) => (bytes += chunk.length));
    await until(() => bytes > 50 << 20);
  });

  it('that is closed does not end the server, and another one can be had', async () => {
    const fleet = await openFleet();
    const started = await fleet.start({ command: fixture });
    for (let owner = 0; owner < 3; owner += 1) {
      const channel = await dialStdio(fleet, started);
      expect(await ask(channel, { ...ping, id: owner })).toMatchObject({ id: owner });
      channel.close();
      channel.close();
    }
    expect(await fleet.provider.observe(started.copy)).toMatchObject({ state: 'running' });
  });

  it('has one owner: the next one takes it over', async () => {
    const fleet = await openFleet();
    const started = await fleet.start({ command: fixture });
    const first = await dialStdio(fleet, started);
    const ended = once(first.output.resume(), 'end');
    const second = await dialStdio(fleet, started);
    await ended;
    expect(first.input.destroyed).toBe(true);
    expect(await ask(second, ping)).toMatchObject({ id: 1 });
    first.close();
    expect(await ask(second, { ...ping, id: 2 })).toMatchObject({ id: 2 });
  });

  it('whose streams are destroyed or ended by the owner does not end the server', async () => {
    const fleet = await openFleet();
    const started = await fleet.start({ command: fixture });
    const rude = await dialStdio(fleet, started);
    rude.output.destroy(new Error('gone'));
    rude.input.end();
    rude.close();
    expect(await ask(await dialStdio(fleet, started), ping)).toMatchObject({ id: 1 });
  });

  it('holds the server back while its owner does not read', async () => {
    const fleet = await openFleet();
    const source = `
      const line = 'x'.repeat(1023) + '\\n';
      let written = 0;
      (function write() {
        while (process.stdout.write(line)) written += 1;
        console.error('wrote', written);
        process.stdout.once('drain', write);
      })();`;
    const started = await fleet.start({ command: script(source) });
    const channel = await dialStdio(fleet, started);
    await lineWith(fleet, started.copy, 'wrote');
    const stalled = await until(async () => {
      const before = channel.output.readableLength;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return channel.output.readableLength === before && before;
    });
    expect(stalled).toBeLessThan(1_000_000);
    let bytes = 0;
    channel.output.on('data', (chunk: Buffer) => (bytes += chunk.length));
    await until(() => bytes > 5_000_000);
  });

  it('does not block a server that nobody reads any more', async () => {
    const fleet = await openFleet();
    const source = `
      process.stdin.on('data', () => {
        for (let n = 0; n < 1000; n++) process.stdout.write('x'.repeat(1000) + '\\n');
        process.stdout.write('', () => console.error('all written'));
      });`;
    const started = await fleet.start({ command: script(source) });
    const channel = await dialStdio(fleet, started);
    channel.input.write('go\n', () => channel.close());
    await lineWith(fleet, started.copy, 'all written');
  });

  it('survives writes to a server that died', async () => {
    const fleet = await openFleet();
    const started = await fleet.start({
      command: ['sh', '-c', 'exec 0<&-; sleep 60'],
    });
    const channel = await dialStdio(fleet, started);
    const failed = new Promise((resolve) => channel.input.once('error', resolve));
    await until(() => {
      if (!channel.input.destroyed) channel.input.write('x'.repeat(100_000));
      return channel.input.destroyed;
    });
    expect(await failed).toMatchObject({ code: 'CONNECTION_CLOSED' });
    process.kill(started.pids()[0]!, 'SIGKILL');
    await exitOf(fleet, started.copy);
    channel.close();
  });

  it('ends when the server ends', async () => {
    const fleet = await openFleet();
    const started = await fleet.start({ command: script('process.stdout.write("last words")') });
    const channel = await dialStdio(fleet, started);
    let text = '';
    channel.output.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await once(channel.output, 'end');
    expect(text).toBe('last words');
    await exitOf(fleet, started.copy);
  });

  it('is refused for a server that does not run', async () => {
    const fleet = await openFleet();
    const started = await fleet.start({ command: fixture });
    await fleet.provider.ensureStopped(started.copy, { graceMs: 1_000 });
    await expect(dialStdio(fleet, started)).rejects.toMatchObject({ code: 'INSTANCE_NOT_READY' });
  });

  it('keeps what the server says to its client out of the logs', async () => {
    const fleet = await openFleet();
    const { copy } = await fleet.start({
      command: script('console.log("private"); console.error("public")'),
    });
    expect(await exitOf(fleet, copy)).toMatchObject({ exitCode: 0, lastLogLines: ['public'] });
  });
});
