import { setImmediate } from 'node:timers/promises';
import { hostileServer } from '@mcpinfra/tools';
import { expect, it, onTestFinished } from 'vitest';
import { moduleProvider } from '../src/module-provider.js';

const nothing = (): void => undefined;

it('survives a client that writes to a module which is ending', async () => {
  const provider = moduleProvider();
  const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  await provider.open({ fleet: 'test', storeId: 'test', logger });
  onTestFinished(() => provider.close());
  const request = {
    copy: { instanceId: 'one', revision: 1, slug: 'one' },
    spec: { type: 'module', module: hostileServer, args: ['ignore-eof'] },
    instanceName: 'one',
    labels: {},
    environment: async () => ({}),
    secrets: () => Promise.reject(new Error('a module has no references elsewhere')),
    onProgress: nothing,
  } as const;
  await provider.ensureRunning(request);
  const dialed = await provider.dial(request);
  if (dialed.kind !== 'stdio') throw new Error('Expected a way over stdio.');
  // The module still loads, so the first line waits in its input when that is ended; the second comes too late.
  dialed.channel.input.write('{}\n');
  await setImmediate();
  const stopped = provider.ensureStopped(request.copy, { graceMs: 300 });
  await setImmediate();
  dialed.channel.input.write('{}\n');
  await stopped;
  expect(await provider.observe(request.copy)).toMatchObject({ state: 'exited' });
});
