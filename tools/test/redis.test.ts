import { existsSync } from 'node:fs';
import { connect } from 'node:tls';
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

it('asks for a password, and keeps asking after a restart', async () => {
  const other = await startPrivateRedis({ password: 'over there' });
  try {
    const port = Number(new URL(other.url).port);
    expect((await exchange(port, 'PING\r\n')).toString()).toMatch(/^-NOAUTH/u);
    await other.restart();
    expect((await exchange(port, 'AUTH "over there"\r\n')).toString()).toBe('+OK\r\n');
  } finally {
    await other.stop();
  }
});

it('speaks TLS with a certificate that it gives to be trusted', async () => {
  const other = await startPrivateRedis({ tls: true });
  try {
    const port = Number(new URL(other.url).port);
    const dial = () => connect({ port, host: '127.0.0.1', ca: other.certificate });
    expect((await exchange(port, 'PING\r\n', dial)).toString()).toBe('+PONG\r\n');
  } finally {
    await other.stop();
  }
});

async function ask(command: string): Promise<string> {
  return (await exchange(Number(new URL(redis().url).port), command)).toString();
}
