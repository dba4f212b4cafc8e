/* eslint-disable import-x/no-extraneous-dependencies -- it is a test's, and imported by a process of its own */
/* Runs the fixture server over HTTP, as files in a folder say; right but for the fault in its options. */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { revealText } from '@mcpinfra/core/plugin';
import * as z from 'zod';

export function provider({ folder, server, detached, copiesEndWithProcess, argv }) {
  let owner = { fleet: '', storeId: '' };
  const fileOf = ({ instanceId }) => join(folder, `${instanceId}.json`);
  const read = (file) => {
    try {
      return JSON.parse(readFileSync(file, 'utf8'));
    } catch {
      return undefined;
    }
  };
  const observe = async (copy) => {
    const known = read(fileOf(copy));
    if (!known || !alive(known.pid)) return { state: 'absent' };
    return {
      state: 'running',
      startedAt: known.createdAt,
      endpoint: { transport: 'streamable-http', url: known.url },
    };
  };
  const destroy = async (copy) => {
    const known = read(fileOf(copy));
    if (known && alive(known.pid)) process.kill(known.pid, 'SIGKILL');
    while (known && alive(known.pid)) await wait(5);
    rmSync(fileOf(copy), { force: true });
  };
  return {
    specificationVersion: 'v1',
    type: 'tiny',
    specSchema: z.strictObject({
      type: z.literal('tiny'),
      environment: z.record(z.string(), z.string()).optional(),
    }),
    copiesEndWithProcess,
    placement: async () => 'here',
    open: async (context) => {
      owner = { fleet: context.fleet, storeId: context.storeId };
      mkdirSync(folder, { recursive: true });
    },
    async ensureRunning({ copy, environment }) {
      const seen = await observe(copy);
      if (seen.state === 'running') return seen;
      const variables = Object.entries(await environment()).map(([name, value]) => [name, revealText(value)]);
      const more = argv ? variables.map(([, value]) => value) : [];
      const child = spawn(process.execPath, [server, ...more], {
        detached,
        // What holds on to its input ends with it; what is detached has none.
        stdio: [detached ? 'ignore' : 'pipe', 'pipe', 'ignore'],
        env: { ...Object.fromEntries(variables), ENDS_WITH_INPUT: detached ? '' : '1' },
      });
      const url = await new Promise((resolve) =>
        child.stdout.once('data', (line) => resolve(String(line).trim())),
      );
      const createdAt = new Date().toISOString();
      writeFileSync(fileOf(copy), JSON.stringify({ pid: child.pid, url, createdAt, copy, ...owner }));
      child.unref();
      child.stdout.destroy();
      return observe(copy);
    },
    ensureStopped: destroy,
    destroy,
    observe,
    async list() {
      const known = readdirSync(folder).map((name) => read(join(folder, name)));
      return known
        .filter((row) => row && row.fleet === owner.fleet && alive(row.pid))
        .map(({ copy, storeId, createdAt }) => ({ copy, storeId, createdAt, state: 'running' }));
    },
    async dial({ copy }) {
      const seen = await observe(copy);
      return {
        kind: 'http',
        transport: 'streamable-http',
        url: new URL(seen.endpoint.url),
        headers: async () => ({}),
      };
    },
    close: async () => undefined,
  };
}

/** Whether a process runs: one that has ended and was not waited for does not. */
function alive(pid) {
  try {
    return !/\) [ZX] /u.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
