import { randomUUID } from 'node:crypto';
import { secretResolverSuite } from '@mcpinfra/conformance/secret-resolver';
import { memorySecrets, processEnvSecrets } from '@mcpinfra/core';
import { describe, it } from 'vitest';
import { mapSecrets } from './support/map-secrets.js';

describe('memorySecrets', () => {
  secretResolverSuite({ it, create: () => ({ resolver: memorySecrets() }) });
});

describe('processEnvSecrets', () => {
  secretResolverSuite({
    it,
    create: (seed) => {
      const prefix = `MCPINFRA_TEST_${randomUUID()}_`;
      const names = Object.keys(seed).map((id, index) => [id, `${prefix}${index}`] as const);
      for (const [id, name] of names) process.env[name] = seed[id];
      const variables = Object.fromEntries(names);
      return {
        resolver: processEnvSecrets({ variables }),
        another: () => processEnvSecrets({ variables }),
        dispose: async () => {
          for (const [, name] of names) Reflect.deleteProperty(process.env, name);
        },
      };
    },
  });
});

describe('a durable store whose backend can fail', () => {
  secretResolverSuite({
    it,
    create: () => {
      const backend = { values: new Map<string, string>() };
      return {
        resolver: mapSecrets(backend),
        another: () => mapSecrets(backend),
        unreachable: () => mapSecrets({ values: new Map(), isAway: true }),
      };
    },
  });
});
