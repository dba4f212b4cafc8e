import { providerSuite } from '@mcpinfra/conformance/provider';
import { urlProvider } from '@mcpinfra/provider-url';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type FixtureProcess, spawnFixture } from './support/servers.js';

describe('the url provider', () => {
  let server: FixtureProcess;

  beforeAll(async () => {
    server = await spawnFixture();
  });

  afterAll(() => server.stop());

  providerSuite({
    it,
    create: () => ({
      provider: () => urlProvider({ allow: ['loopback'] }),
      documents: { serving: { type: 'url', endpoint: server.url.href } },
    }),
  });
});
