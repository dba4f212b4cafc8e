import { existsSync, statSync } from 'node:fs';
import { expect, it } from 'vitest';
import { startPrivateDockerEngine, startPrivatePostgres } from '../src/index.js';
import { builtProgram } from '../src/package-folder.js';
import { serviceOrSkip } from '../src/vitest.js';
import { query } from './support/query.js';
import { ServerProcess } from './support/server-process.js';
import { eventually } from './support/eventually.js';

const cli = builtProgram('cli.js');
const slowly = { ...eventually, timeout: 60_000 };

// Skips where they cannot be started; the program starts its own.
serviceOrSkip(startPrivatePostgres);
serviceOrSkip(startPrivateDockerEngine);

it('starts a PostgreSQL, says where, and takes it away when it is asked to end', async () => {
  const program = new ServerProcess(cli, ['postgres']);
  const { url, pid } = (await addressOf(program)) as { url: string; pid: number };
  expect(await query(url, 'SELECT 1')).toBe('1');
  program.signal('SIGTERM');
  expect(await program.exited).toEqual({ code: 0, signal: null });
  expect(existsSync(`/proc/${pid}`)).toBe(false);
});

it('starts an engine that has the images it was told', { timeout: 120_000 }, async () => {
  const program = new ServerProcess(cli, ['docker', 'agentarea/echo:latest']);
  const { dockerHost } = (await addressOf(program)) as { dockerHost: string };
  const socketPath = dockerHost.replace('unix://', '');
  expect(statSync(socketPath).isSocket()).toBe(true);
  program.signal('SIGINT');
  expect(await program.exited).toEqual({ code: 0, signal: null });
  expect(existsSync(socketPath)).toBe(false);
});

it('starts the server of the url example', async () => {
  const program = new ServerProcess(cli, ['external', '0']);
  const { url } = (await addressOf(program)) as { url: string };
  expect((await fetch(`${url}/health`)).status).toBe(200);
});

it('says what it knows when it is asked for something else', async () => {
  const program = new ServerProcess(cli, ['mysql']);
  expect((await program.exited).code).toBe(1);
  expect(program.stderr).toContain('usage: cli docker');
});

async function addressOf(program: ServerProcess): Promise<unknown> {
  await expect.poll(() => program.messages.length, slowly).toBe(1);
  return program.messages[0];
}
