import { expect, it } from 'vitest';
import { resolveLifecycle } from './lifecycle.js';
import { resolveTransport } from './resolve-transport.js';

it('fills a lifecycle with the defaults', () => {
  expect(resolveLifecycle({ type: 'x' })).toEqual({
    start: 'eager',
    idleTimeout: 300,
    stopGrace: 10,
    drainTimeout: 30,
    maxRestarts: null,
    startupTimeout: 60,
    busyTimeout: 60,
  });
  const lifecycle = {
    start: 'on-demand',
    idle_timeout: 1,
    stop_grace: 0,
    drain_timeout: 3,
    max_restarts: 0,
    startup_timeout: 2,
    busy_timeout: 3,
  } as const;
  expect(resolveLifecycle({ type: 'x', lifecycle })).toEqual({
    start: 'on-demand',
    idleTimeout: 1,
    stopGrace: 0,
    drainTimeout: 3,
    maxRestarts: 0,
    startupTimeout: 2,
    busyTimeout: 3,
  });
});

it.each([
  [{ type: 'docker' }, 'stdio'],
  [{ type: 'docker', port: 80 }, 'http'],
  [{ type: 'process', port: 'auto' as const }, 'http'],
  [{ type: 'url', endpoint: 'https://example.com' }, 'http'],
  [{ type: 'docker', port: 80, transport: 'sse' as const }, 'sse'],
])('speaks to %j over %s', (spec, transport) => {
  expect(resolveTransport(spec)).toBe(transport);
});
