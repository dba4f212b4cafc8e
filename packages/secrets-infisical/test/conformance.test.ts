import { secretResolverSuite } from '@mcpinfra/conformance/secret-resolver';
import { infisicalSecrets } from '@mcpinfra/secrets-infisical';
import { startInfisicalServer } from '@mcpinfra/tools';
import { describe, it } from 'vitest';
import { generations } from './support/infisical.js';

describe.each(generations)('infisicalSecrets is a secret store, on a server of %s', (generation) => {
  secretResolverSuite({
    it,
    create: async () => {
      const server = await startInfisicalServer({ generation });
      const { url: siteUrl, clientId, clientSecret, projectId, environment } = server;
      const identity = { clientId, clientSecret, projectId, environment };
      const another = () => infisicalSecrets({ siteUrl, ...identity });
      return {
        resolver: another(),
        another,
        unreachable: () => infisicalSecrets({ siteUrl: 'http://127.0.0.1:9', ...identity }),
        dispose: () => server.stop(),
      };
    },
  });
});
