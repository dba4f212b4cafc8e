import { randomUUID } from 'node:crypto';
import { providerSuite } from '@mcpinfra/conformance/provider';
import { processProvider } from '@mcpinfra/provider-process';
import { fixtureServer, hostileServer } from '@mcpinfra/tools';
import { describe, it } from 'vitest';
import { script } from './fleet.js';

const node = process.execPath;
const lines = ['one', 'two', 'three'];
const exiting = script(
  `for (const line of [${lines.map((line) => `'${line}'`).join()}, process.env.CONFORMANCE_SECRET]) console.error(line);
   process.exitCode = 3;`,
);

describe.each([
  ['over stdio', { command: [node, fixtureServer, '--stdio'] }],
  ['over HTTP', { command: [node, fixtureServer, '--http'], port: 'auto' }],
])('the process provider with servers %s', (_, serving) => {
  providerSuite({
    it,
    create: () => ({
      provider: () => processProvider(),
      host: { module: new URL('support/host.mjs', import.meta.url) },
      documents: {
        serving: { type: 'process', ...serving },
        exiting: { document: { type: 'process', command: exiting }, lines, exitCode: 3 },
        failing: {
          document: { type: 'process', command: [`no-${randomUUID()}`] },
          code: 'COMMAND_NOT_FOUND',
        },
        stubborn: { type: 'process', command: [node, hostileServer, 'ignore-eof'] },
      },
    }),
  });
});
