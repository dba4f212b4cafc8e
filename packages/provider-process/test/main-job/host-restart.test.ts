import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createMCPInfra, memoryStore, type MCPServerInstance } from '@mcpinfra/core';
import { processProvider } from '@mcpinfra/provider-process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bearersOf, environmentOf } from '../fleet.js';
import { fixture, hostile, httpFixture, soon, temporaryDirectory, textOf, until } from './support.js';

const program = fileURLToPath(new URL('host-process.mjs', import.meta.url));

describe('a host that was killed and started again on its file', () => {
  it('has the same instances, has ended the old processes, and runs new ones', async () => {
    const directory = await temporaryDirectory();
    const file = join(directory, 'store.json');
    const fleet = `test-${randomUUID()}`;
    const unruly = hostile('ignore-eof-and-fork', '--pidfile', join(directory, 'grandchild.pid'));
    const inputs = [
      { name: 'Filesystem Instance', jsonSpec: { type: 'process', command: fixture() } },
      {
        name: '"quoted" \'names\' & ünïcödé 名前 🚀',
        jsonSpec: { type: 'process', command: httpFixture(), port: 'auto' },
      },
      { name: 'unruly', jsonSpec: { type: 'process', command: unruly, lifecycle: { stop_grace: 1 } } },
      { name: 'stopped on purpose', stopped: true, jsonSpec: { type: 'process', command: fixture() } },
    ];
    const host = spawn(process.execPath, [program, file, fleet, JSON.stringify(inputs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => {
      host.kill('SIGKILL');
    });
    let before: MCPServerInstance[] = [];
    for await (const line of createInterface(host.stdout)) {
      before = JSON.parse(line) as MCPServerInstance[];
      break;
    }
    const old = bearersOf(fleet);
    // Three servers and the grandchild that has a session of its own.
    expect(old.length).toBeGreaterThanOrEqual(4);
    const ended = new Promise((resolve) => host.once('exit', resolve));
    host.kill('SIGKILL');
    await ended;
    // The unruly ones live on without their host.
    expect(bearersOf(fleet).length).toBeGreaterThanOrEqual(2);

    const infra = createMCPInfra({ providers: [processProvider()], store: memoryStore({ file, fleet }) });
    onTestFinished(async () => {
      await infra.stop();
      expect(bearersOf(fleet)).toEqual([]);
    });
    await infra.start();
    const running = before.filter((instance) => instance.desiredState === 'running');
    for (const { id } of running) {
      await infra.instances.waitFor(
        id,
        (i) => i.status === 'running' && bearersOf(fleet, id).some((pid) => !old.includes(pid)),
        soon(),
      );
    }
    await until(() => bearersOf(fleet).every((pid) => !old.includes(pid)));
    const after = (await infra.instances.list()).items;
    const identity = ({ id, name, slug, desiredState }: MCPServerInstance) => ({
      id,
      name,
      slug,
      desiredState,
    });
    expect(after.map(identity)).toEqual(before.map(identity));
    for (const { slug } of after) expect(slug).toMatch(/^[a-z0-9-]+-[0-9a-f]{8}$/);
    const stopped = after.find((instance) => instance.name === 'stopped on purpose');
    expect(stopped?.status).toBe('stopped');
    expect(bearersOf(fleet, stopped?.id)).toEqual([]);
    for (const { id, name } of running) {
      if (name !== 'unruly')
        expect(textOf(await infra.instances.callTool(id, 'echo', { text: 'again' }))).toContain('again');
      const revisions = new Set(
        bearersOf(fleet, id).map((pid) => environmentOf(pid).find((e) => e.startsWith('MCPINFRA_REVISION='))),
      );
      expect(revisions.size).toBe(1);
    }
  });
});
