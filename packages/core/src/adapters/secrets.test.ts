import { afterEach, describe, expect, it } from 'vitest';
import { Secret, type SecretContext } from '../plugin.js';
import { memorySecrets } from './memory-secrets.js';
import { processEnvSecrets } from './process-env-secrets.js';

const context: SecretContext = { instanceId: 'i', tenant: '', principal: null };
const token = { scope: 'instance_1', key: 'TOKEN' };
const other = { scope: 'instance_10', key: 'TOKEN' };

async function revealed(found: Promise<ReadonlyMap<string, Secret>>) {
  return Object.fromEntries([...(await found)].map(([id, secret]) => [id, secret.reveal()]));
}

describe('memorySecrets', () => {
  it('gives what it has and leaves out what it has not', async () => {
    const secrets = memorySecrets({ 'instance_1:TOKEN': 'v1' });
    expect(await revealed(secrets.resolve([token, other], context))).toEqual({ 'instance_1:TOKEN': 'v1' });
    await secrets.put(other, new Secret('v2'));
    await secrets.put(token, new Secret('v3'));
    const both = { 'instance_1:TOKEN': 'v3', 'instance_10:TOKEN': 'v2' };
    expect(await revealed(secrets.resolve([token, other], context))).toEqual(both);
    expect(secrets.durable).toBe(false);
  });

  it('deletes one secret, or a scope and nothing that only begins like it', async () => {
    const secrets = memorySecrets({ 'instance_1:TOKEN': 'a', 'instance_1:B': 'b', 'instance_10:TOKEN': 'c' });
    await secrets.delete(token);
    await secrets.delete(token);
    expect(await revealed(secrets.resolve([token], context))).toEqual({});
    await secrets.deleteScope('instance_1');
    await secrets.deleteScope('instance_1');
    const left = secrets.resolve([{ scope: 'instance_1', key: 'B' }, other], context);
    expect(await revealed(left)).toEqual({ 'instance_10:TOKEN': 'c' });
  });

  it('refuses names that no reference can have, without showing a value', async () => {
    expect(() => memorySecrets({ TOKEN: 'hunter2' })).toThrow(/not under "TOKEN"/);
    const putting = memorySecrets().put({ scope: 'a b', key: 'K' }, new Secret('hunter2'));
    await expect(putting).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(putting).rejects.not.toThrow(/hunter2/);
  });
});

describe('processEnvSecrets', () => {
  const variable = 'MCPINFRA_TEST_TOKEN';
  afterEach(() => {
    delete process.env['MCPINFRA_TEST_TOKEN'];
  });

  it('reads the variables it is told, at the time of asking', async () => {
    const secrets = processEnvSecrets({ variables: { 'instance_1:TOKEN': variable } });
    expect(await revealed(secrets.resolve([token], context))).toEqual({});
    process.env[variable] = 'v1';
    expect(await revealed(secrets.resolve([token, other], context))).toEqual({ 'instance_1:TOKEN': 'v1' });
    process.env[variable] = '';
    expect(await revealed(secrets.resolve([token], context))).toEqual({});
  });

  it('asks a function for the name', async () => {
    process.env[variable] = 'v1';
    const secrets = processEnvSecrets({
      name: ({ key, scope }) => (scope === 'instance_1' ? `MCPINFRA_TEST_${key}` : undefined),
    });
    expect(await revealed(secrets.resolve([token, other], context))).toEqual({ 'instance_1:TOKEN': 'v1' });
  });

  it('reads nothing that nobody named', async () => {
    const secrets = processEnvSecrets({ variables: {} });
    const reference = { scope: 'constructor', key: 'PATH' };
    expect(await revealed(secrets.resolve([reference], context))).toEqual({});
    expect(() => processEnvSecrets({} as never)).toThrow(/either \{ variables \} or \{ name \}/);
  });
});
