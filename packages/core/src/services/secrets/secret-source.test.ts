import { expect, it } from 'vitest';
import { memorySecrets, Secret } from '../../index.js';
import type { SecretResolver } from '../../plugin.js';
import { manualClock } from '@mcpinfra/core/testing';
import { SecretSource } from './secret-source.js';

it('learns the values of each revision once, and again where the backend could not tell', async () => {
  const secrets = memorySecrets({ 'vault:K': 'canary-1' });
  let asked = 0;
  let isAway = false;
  const resolver: SecretResolver = {
    ...secrets,
    resolve: (...args) => {
      asked += 1;
      return isAway ? Promise.reject(new Error('away')) : secrets.resolve(...args);
    },
  };
  const source = new SecretSource({
    resolvers: [resolver],
    secretStore: null,
    clock: manualClock(),
    identity: () => ({ storeId: 's', fleet: 'f', durable: false }),
    logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    settings: {
      ...{ allowScope: null, fingerprintKey: null, gatewayUrl: null, allowUnknownEnvironment: false },
      ...{ limits: { maxInstances: null, maxInstancesPerTenant: null } },
      ...{ secretRotationCheckMs: 1, callTimeoutMs: 1 },
    },
  });
  const record = { id: 'i', tenant: '' };
  const spec = { type: 'x', environment: { A: 'secret_ref:vault:K' } };
  const told = () => source.scrub('i', 'canary-1 canary-2');

  await source.know(record, { revision: 1, spec });
  await source.know(record, { revision: 1, spec });
  expect([asked, told()]).toEqual([1, '[secret] canary-2']);
  await secrets.put({ scope: 'vault', key: 'K' }, new Secret('canary-2'));
  isAway = true;
  await source.know(record, { revision: 2, spec });
  isAway = false;
  await source.know(record, { revision: 2, spec });
  await source.know(record, { revision: 1, spec });
  expect([asked, told()]).toEqual([3, '[secret] [secret]']);
  source.forget('i');
  expect([source.size, told()]).toEqual([0, 'canary-1 canary-2']);
});

function nothing(): void {
  // Nobody reads it.
}
