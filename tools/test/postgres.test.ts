import { existsSync, statSync } from 'node:fs';
import { expect, it } from 'vitest';
import { startPrivatePostgres } from '../src/index.js';
import { serviceOrSkip } from '../src/vitest.js';
import { query } from './support/query.js';

const postgres = serviceOrSkip(startPrivatePostgres);

it('keeps what it committed when it is killed and started again', async () => {
  await query(postgres().url, 'CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)');
  await postgres().kill();
  expect(postgres().pid).toBeUndefined();
  await expect(query(postgres().url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
  await postgres().restart();
  expect(await query(postgres().url, 'SELECT n FROM kept')).toBe('1');
});

it('keeps it over a restart in order too, at the same address', async () => {
  const { url, pid } = postgres();
  await query(url, 'CREATE TABLE ordered (n int); INSERT INTO ordered VALUES (2)');
  await postgres().restart();
  expect(postgres()).toMatchObject({ url });
  expect(postgres().pid).not.toBe(pid);
  expect(await query(url, 'SELECT n FROM ordered')).toBe('2');
});

it('does not run as root, and its user may do everything', async () => {
  expect(statSync(`/proc/${postgres().pid!}`).uid).not.toBe(0);
  expect(await query(postgres().url, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user')).toBe('t');
});

it('leaves no process and no file when it is stopped', async () => {
  const other = await startPrivatePostgres();
  const { pid, root } = other;
  await other.stop();
  expect([existsSync(root), existsSync(`/proc/${pid!}/exe`)]).toEqual([false, false]);
});

it('runs the current major version from npm where it is asked to', async () => {
  const current = await startPrivatePostgres({ from: 'npm' });
  try {
    expect(Number(await query(current.url, 'SHOW server_version_num'))).toBeGreaterThanOrEqual(180_000);
  } finally {
    await current.stop();
  }
});
