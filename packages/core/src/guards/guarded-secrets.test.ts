import { expect, it } from 'vitest';
import { parseSecretReference } from '../domain/secrets/secret-reference.js';
import { Secret } from '../domain/secrets/secret.js';
import type { SecretResolver, SecretStore } from '../ports/secret-resolver.js';
import { manualClock } from '../testing/manual-clock.js';
import { recordingLogger } from '../testing/recording-logger.js';
import { guardSecretResolver, guardSecretStore } from './guarded-secrets.js';

const reference = parseSecretReference('secret_ref:instance_1:KEY')!;
const context = { instanceId: 'i', tenant: '', principal: null };
const forever = () => new Promise<never>(() => undefined);

const guardOptions = () => ({ clock: manualClock(), logger: recordingLogger() });

const resolver: SecretResolver = {
  specificationVersion: 'v1',
  name: 'fake',
  resolve: async () => new Map([['instance_1:KEY', new Secret('s3cret')]]),
};

it('resolves without being opened where the resolver has nothing to open', async () => {
  const guarded = guardSecretResolver(resolver, guardOptions());
  expect(guarded.name).toBe('fake');
  expect(guarded).not.toHaveProperty('open');
  await expect(guardSecretResolver(resolver, guardOptions()).close?.()).resolves.toBeUndefined();
  const values = await guarded.resolve([reference], context);
  expect(values.get('instance_1:KEY')?.reveal()).toBe('s3cret');
});

it('wants to be opened where the resolver does, and closes it', async () => {
  const calls: string[] = [];
  const guarded = guardSecretResolver(
    { ...resolver, open: async () => void calls.push('open'), close: async () => void calls.push('close') },
    guardOptions(),
  );
  await expect(guarded.resolve([reference], context)).rejects.toMatchObject({ code: 'NOT_STARTED' });
  await guarded.open?.();
  await guarded.resolve([reference], context);
  await guarded.close?.();
  expect(calls).toEqual(['open', 'close']);
});

it('bounds a backend that hangs, and calls failures what they are', async () => {
  const options = guardOptions();
  const hanging = guardSecretResolver({ ...resolver, resolve: forever }, options);
  const expected = expect(hanging.resolve([reference], context)).rejects.toMatchObject({
    code: 'PLUGIN_TIMEOUT',
    message: expect.stringContaining('resolve() of the secrets "fake"') as string,
  });
  await options.clock.advance(20_000);
  await expected;
  const failing = guardSecretResolver(
    { ...resolver, resolve: () => Promise.reject(new Error('403')) },
    options,
  );
  await expect(failing.resolve([reference], context)).rejects.toMatchObject({
    code: 'SECRET_BACKEND_FAILED',
  });
});

it('guards the writing of a store in the same way', async () => {
  const calls: unknown[] = [];
  const store: SecretStore = {
    ...resolver,
    durable: true,
    put: async (...[ref, value]) => void calls.push(['put', ref, value.reveal()]),
    delete: async (ref) => void calls.push(['delete', ref]),
    deleteScope: () => Promise.reject(new Error('read only')),
  };
  const guarded = guardSecretStore(store, guardOptions());
  expect(guarded.durable).toBe(true);
  await guarded.put(reference, new Secret('new'));
  await guarded.delete(reference);
  expect(calls).toEqual([
    ['put', reference, 'new'],
    ['delete', reference],
  ]);
  await expect(guarded.deleteScope('instance_1')).rejects.toMatchObject({ code: 'SECRET_BACKEND_FAILED' });
  expect((await guarded.resolve([reference], context)).size).toBe(1);
});

it.each([
  null,
  undefined,
  {},
  { 'instance_1:KEY': 'plain-s3cret' },
  new Map([['instance_1:KEY', 'plain-s3cret']]),
])('refuses an answer that is no Map of secrets and quotes none of it: %o', async (answer) => {
  const guarded = guardSecretResolver({ ...resolver, resolve: async () => answer as never }, guardOptions());
  const asked = guarded.resolve([reference], context);
  await expect(asked).rejects.toMatchObject({ code: 'PLUGIN_CONTRACT' });
  await expect(asked).rejects.not.toThrow(/plain-s3cret/);
});

it('ends the calls under way where the resolver has nothing to close', async () => {
  const guarded = guardSecretResolver({ ...resolver, resolve: forever }, guardOptions());
  const asked = guarded.resolve([reference], context);
  await guarded.close?.();
  await expect(asked).rejects.toMatchObject({ code: 'ALREADY_STOPPED' });
});
