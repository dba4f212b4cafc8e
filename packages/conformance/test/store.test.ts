import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryStore } from '@mcpinfra/core';
import { type StoreHarness, storeSuite } from '@mcpinfra/conformance/store';
import { describe, it } from 'vitest';
import { sharedMemory } from './support/shared-memory.js';

describe('memoryStore()', () => {
  storeSuite({ it, create: () => ({ store: memoryStore() }) });
});

describe('memoryStore({ file })', () => {
  storeSuite({ it, create: inFile });
});

describe('stores that are open on the same data at once', () => {
  storeSuite({ it, create: sharedMemory });
});

async function inFile(): Promise<StoreHarness> {
  const directory = await mkdtemp(join(tmpdir(), 'mcpinfra-store-suite-'));
  const file = join(directory, 'store.json');
  return {
    store: memoryStore({ file }),
    reopen: () => memoryStore({ file }),
    // One process at a time may use the file.
    concurrent: false,
    dispose: () => rm(directory, { recursive: true }),
  };
}
