import { providerSuite } from '@mcpinfra/conformance/provider';
import { dockerProvider } from '@mcpinfra/provider-docker';
import { describe, it } from 'vitest';
import { engineWith, hostile, httpFixture, stdioFixture } from './support.js';

const engine = engineWith('mcp/test:latest', 'mcp/hostile:latest');
const lines = ['one', 'two', 'three'];
const exiting = `for (const line of [${lines.map((line) => `'${line}'`).join()}, process.env.CONFORMANCE_SECRET]) console.error(line);
  process.exitCode = 3;`;

describe.each([
  ['over HTTP, on a network of their own', httpFixture],
  ['over stdio, without a network', stdioFixture],
])('the docker provider with servers %s', (_, serving) => {
  providerSuite({
    it,
    create: () => ({
      provider: () => dockerProvider({ socketPath: engine().socketPath }),
      host: {
        module: new URL('support/host.mjs', import.meta.url),
        options: { socketPath: engine().socketPath },
      },
      unreachable: () => dockerProvider({ socketPath: '/nowhere/docker.sock' }),
      documents: {
        serving: { type: 'docker', ...serving },
        exiting: {
          document: {
            type: 'docker',
            image: 'mcp/test:latest',
            entrypoint: ['/usr/bin/node', '-e', exiting],
          },
          lines,
          exitCode: 3,
        },
        failing: {
          document: { type: 'docker', ...serving, workdir: '/app/main.js' },
          code: 'WORKDIR_NOT_FOUND',
        },
        stubborn: { type: 'docker', ...hostile('ignore-eof') },
      },
    }),
  });
});
