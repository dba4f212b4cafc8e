import { randomUUID } from 'node:crypto';
import { secretResolverSuite } from '@mcpinfra/conformance/secret-resolver';
import { infisicalSecrets } from '@mcpinfra/secrets-infisical';
import { describe, it } from 'vitest';

const names = ['URL', 'CLIENT_ID', 'CLIENT_SECRET', 'PROJECT_ID', 'ENVIRONMENT'] as const;
const values = names.map((name) => process.env[`MCPINFRA_TEST_INFISICAL_${name}`] ?? '');
const missing = names.filter((_, index) => values[index] === '');
const reason = `no real Infisical: set MCPINFRA_TEST_INFISICAL_{${missing.join(',')}}`;
// eslint-disable-next-line no-console -- a skip has to be seen
if (missing.length > 0) console.warn(`SKIPPED: ${reason}`);

// Its identity may create folders and secrets; its rate limit has to admit some hundred requests a minute.
describe.skipIf(missing.length > 0)('infisicalSecrets is a secret store, on the real server given', () => {
  const [siteUrl = '', clientId = '', clientSecret = '', projectId = '', environment = ''] = values;
  secretResolverSuite({
    it,
    patienceMs: 30_000,
    create: () => {
      const basePath = `/mcpinfra-test-${randomUUID()}`;
      const another = () =>
        infisicalSecrets({ siteUrl, clientId, clientSecret, projectId, environment, basePath });
      return { resolver: another(), another };
    },
  });
});
