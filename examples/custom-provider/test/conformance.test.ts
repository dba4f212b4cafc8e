//#region conformance
import { providerSuite } from '@mcpinfra/conformance/provider';
import { fixtureServer, hostileServer } from '@mcpinfra/tools';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';
import { moduleProvider } from '../src/module-provider.js';

const ending = fileURLToPath(new URL('ending-server.mjs', import.meta.url));

describe('the module provider', () => {
  providerSuite({
    it,
    create: () => ({
      provider: moduleProvider,
      documents: {
        serving: { type: 'module', module: fixtureServer, args: ['--stdio'] },
        exiting: { document: { type: 'module', module: ending }, lines: ['one', 'two'], exitCode: 3 },
        failing: { document: { type: 'module', module: '/no/such/module.js' }, code: 'COMMAND_NOT_FOUND' },
        stubborn: { type: 'module', module: hostileServer, args: ['ignore-eof'] },
      },
    }),
  });
});
//#endregion
