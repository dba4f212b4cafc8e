import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { z } from 'zod';
import type { CopyRef, Provider, RunRequest } from '../ports/provider.js';
import { manualClock } from '../testing/manual-clock.js';
import { recordingLogger } from '../testing/recording-logger.js';
import { guardProvider } from './guarded-provider.js';

const copy: CopyRef = { instanceId: 'i1', revision: 1, slug: 'fs-1-0a1b2c3d' };
const request: RunRequest = {
  copy,
  spec: { type: 'fake' },
  secrets: () => Promise.reject(new Error('not asked for')),
  instanceName: 'fs-1',
  labels: {},
  environment: async () => ({}),
  onProgress: () => undefined,
};
const channel = { input: new PassThrough(), output: new PassThrough(), close: () => undefined };
const headers = async () => ({});
const url = new URL('http://127.0.0.1:1/mcp');
const listed = { copy, storeId: 's', state: 'running', createdAt: '2026-01-01T00:00:00.000Z' };

/** What each method is answered with that it allows, and what it does not. */
const answers: Readonly<Record<string, { readonly right: unknown; readonly wrong: readonly unknown[] }>> = {
  placement: { right: 'here', wrong: [undefined, null, 3, {}] },
  list: { right: [listed], wrong: [undefined, null, {}, [null], [{}], [{ copy: 'i1' }], new Set()] },
  isPrepared: { right: false, wrong: [undefined, null, 'yes', {}] },
  doctor: { right: [{ name: 'engine', ok: true, message: '' }], wrong: [undefined, null, {}, [{}], ['ok']] },
  dial: {
    right: { kind: 'http', transport: 'sse', url, headers },
    wrong: [
      undefined,
      null,
      channel,
      { kind: 'stdio' },
      { kind: 'http', url: 'http://h/', headers },
      { kind: 'http', url },
    ],
  },
};

async function ask(method: string, answer: unknown): Promise<unknown> {
  const provider = {
    specificationVersion: 'v1',
    type: 'fake',
    specSchema: z.any(),
    open: async () => undefined,
    [method]: async () => answer,
  } as unknown as Provider;
  const logger = recordingLogger();
  const guarded = guardProvider(provider, { clock: manualClock(), logger });
  await guarded.open({ fleet: 'f', storeId: 's', logger });
  const call = Reflect.get(guarded, method) as (given: unknown) => Promise<unknown>;
  return call(method === 'dial' || method === 'isPrepared' ? request : {});
}

it.each(
  Object.entries(answers).flatMap(([method, { wrong }]) => wrong.map((answer) => [method, answer] as const)),
)('names %s() where it answers what its port does not allow: %o', async (method, answer) => {
  await expect(ask(method, answer)).rejects.toMatchObject({
    code: 'PLUGIN_CONTRACT',
    message: expect.stringContaining(`${method}() of the provider "fake"`) as string,
  });
});

it.each(Object.entries(answers))('takes what %s() may answer', async (method, { right }) => {
  const answer = await ask(method, right);
  if (method === 'dial') expect(answer).toMatchObject({ kind: 'http', url });
  else expect(answer).toEqual(right);
});
