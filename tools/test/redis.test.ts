import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { startPrivateRedis } from '../src/index.js';
import { exchange } from '../src/services/exchange.js';
import { serviceOrSkip } from '../src/vitest.js';

const redis = serviceOrSkip(startPrivateRedis);

it('keeps what it acknowledged when it is killed and started again', async () => {
  expect(await ask('SET kept 1\r\n')).toBe('+OK\r\n');
  await redis().kill();
  expect(redis().pid).toBeUndefined();
  expect(await ask('PING\r\n')).toBe('');
  await redis().restart();
  expect(await ask('GET kept\r\n')).toBe('$1\r\n1\r\n');
});

it('keeps it over a restart in order too, at the same address', async () => {
  const { url, pid } = redis();
  expect(await ask('SET kept 2\r\n')).toBe('+OK\r\n');
  await redis().restart();
  expect(redis()).toMatchObject({ url });
  expect(redis().pid).not.toBe(pid);
  expect(await ask('GET kept\r\n')).toBe('$1\r\n2\r\n');
});

it('leaves no process and no file when it is stopped', async () => {
  const other = await startPrivateRedis();
  const { pid, root } = other;
  await other.stop();
  expect([existsSync(root), existsSync(`/proc/${pid!}/exe`)]).toEqual([false, false]);
});

async function ask(command: string): Promise<string> {
  return (await exchange(Number(new URL(redis().url).port), command)).toString();
}
