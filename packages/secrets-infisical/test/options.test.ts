import { infisicalSecrets } from '@mcpinfra/secrets-infisical';
import { expect, it } from 'vitest';

const make = infisicalSecrets as (options: unknown) => unknown;
const place = { siteUrl: 'https://secrets.example', projectId: 'p', environment: 'dev' };
const identity = { clientId: 'id', clientSecret: 'canary' };

it.each([
  [{ ...place, ...identity, enviroment: 'dev' }, 'has no option "enviroment"; did you mean "environment"?'],
  [
    { ...identity, projectId: 'p', environment: 'dev' },
    'expected siteUrl to be like https://secrets.example',
  ],
  [{ ...place, ...identity, siteUrl: 'https://user:canary@x' }, 'expected siteUrl'],
  [{ ...place, ...identity, siteUrl: 'ftp://x' }, 'expected siteUrl'],
  [{ ...place, ...identity, environment: '' }, 'expected environment to be a text that is not empty, got ""'],
  [{ ...place, clientSecret: 'canary' }, 'expected clientId to be a text that is not empty, got undefined'],
  [{ ...place, clientId: 'id' }, 'expected clientSecret'],
  [{ ...place, ...identity, token: 'canary' }, 'expected either token, or clientId and clientSecret'],
  [{ ...place, token: '' }, 'expected token'],
  [{ ...place, ...identity, timeoutMs: 0 }, 'expected timeoutMs to be a whole number from 1 on, got 0'],
  [{ ...place, ...identity, cacheTtlMs: -1 }, 'expected cacheTtlMs to be a whole number from 0 on, got -1'],
  [{ ...place, ...identity, basePath: 'instances' }, 'expected basePath to be like /team/instances'],
  [{ ...place, ...identity, locate: '/x' }, 'expected locate to be a function, got "/x"'],
  [{ ...place, ...identity, expandReferences: 'yes' }, 'expected expandReferences to be true or false'],
])('refuses %j', (options, why) => {
  const error = (() => {
    try {
      return make(options);
    } catch (thrown) {
      return thrown;
    }
  })();
  expect(error).toMatchObject({ code: 'INVALID_OPTIONS', message: expect.stringContaining(why) as string });
  expect(String(error)).not.toContain('canary');
});

it('takes a site below a path', () => {
  expect(() => make({ ...place, ...identity, siteUrl: 'https://x.example/infisical/' })).not.toThrow();
});
