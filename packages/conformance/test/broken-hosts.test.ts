import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { providerSuite } from '@mcpinfra/conformance/provider';
import { expect, it, onTestFinished } from 'vitest';
import { collectFailures } from './support/collect-failures.js';
import { provider as tinyProvider } from './support/tiny-provider.mjs';

const server = fileURLToPath(new URL('support/tiny-server.mjs', import.meta.url));
const cases = ['provider/processes/adopted', 'provider/processes/ended', 'provider/secrets/argv'];
const outlives = { detached: true, copiesEndWithProcess: false, argv: false };
const ends = { detached: false, copiesEndWithProcess: true, argv: false };

it.each([
  ['is right, with copies that outlive it', outlives, []],
  ['is right, with copies that end with it', ends, []],
  ['says that its copies outlive it, though they do not', { ...outlives, detached: false }, [cases[0]]],
  ['says that its copies end with it, though they do not', { ...ends, detached: true }, [cases[1]]],
  ['hands secrets over in the command line', { ...outlives, argv: true }, [cases[2]]],
])('of a provider that %s, real processes tell', async (_, kind, caughtBy) => {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const options = { ...kind, folder, server };
  const { failed } = await collectFailures((it) => {
    providerSuite({
      it: (name, run) => {
        if (cases.includes(name.split(': ', 1)[0] ?? '')) it(name, run);
      },
      create: () => ({
        provider: () => tinyProvider(options),
        host: { module: new URL('support/tiny-provider.mjs', import.meta.url), options },
        documents: { serving: { type: 'tiny' } },
      }),
      patienceMs: 5_000,
    });
  });
  expect([...failed.keys()]).toEqual(caughtBy);
});
