// Run by `node --test`, which test/search-host.test.ts does.

//#region node-test
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestInfra } from '@mcpinfra/core/testing';
import { createSearch } from './search-host.js';

test('is away between two crashes, and back by itself', async () => {
  const t = await createTestInfra({ tools: { search: () => '3 results' } });
  const search = await createSearch(t.infra, () => undefined);
  await t.settle();
  assert.equal(await search('teapots'), '3 results');

  t.crash('search', { lines: ['out of ideas'] });
  await t.settle(); // the first crash is mended at once
  t.crash('search');
  await t.settle();
  assert.match(await search('teapots'), /try again/);

  await t.advance(2_000); // the second after about a second
  assert.equal(await search('teapots'), '3 results');
  await t.stop();
  assert.deepEqual(await t.leaks(), []);
});
//#endregion
