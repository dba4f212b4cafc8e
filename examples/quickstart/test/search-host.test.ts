import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

//#region vitest
import { createTestInfra, type TestInfra } from '@mcpinfra/core/testing';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSearch } from '../src/search-host.js';

let t: TestInfra;

beforeEach(async () => {
  t = await createTestInfra({
    tools: { search: ({ question }) => `3 results for ${String(question)}` },
  });
});

afterEach(async () => {
  await t.stop();
  expect(await t.leaks()).toEqual([]); // no copy, channel or timer is left
});
//#endregion

//#region answers
it('answers by the tool', async () => {
  const search = await createSearch(t.infra, vi.fn());
  await t.settle(); // until nothing is in flight: the server has started
  expect(await search('teapots')).toBe('3 results for teapots');
});
//#endregion

//#region crash
it('is away between two crashes, and back by itself', async () => {
  const search = await createSearch(t.infra, vi.fn());
  await t.settle();
  t.crash('search', { lines: ['out of ideas'] });
  await t.settle(); // the first crash is mended at once
  t.crash('search');
  await t.settle();
  expect(await search('teapots')).toMatch(/try again/);
  await t.advance(2_000); // the second after about a second, which passes at once
  expect(await search('teapots')).toBe('3 results for teapots');
});
//#endregion

//#region failure
it('alerts when the server cannot start, and asks again when it can', async () => {
  const alert = vi.fn();
  t.failNextStart('IMAGE_PULL_FAILED', 'The registry does not answer.');
  const search = await createSearch(t.infra, alert);
  await t.settle();
  expect(alert).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/^IMAGE_PULL_FAILED: The registry/));
  expect(await search('teapots')).toMatch(/try again/);

  await t.advance(5_000);
  expect(await search('teapots')).toBe('3 results for teapots');
  const changes = t.recordedEvents('MCPServerInstanceStatusChanged').map(({ data }) => data.to);
  expect(changes).toEqual(['starting', 'failed', 'pending', 'starting', 'running']);
});
//#endregion

//#region hang
it('restarts a server that no longer answers', async () => {
  await createSearch(t.infra, vi.fn());
  await t.settle();
  t.hang('search');
  await t.advance(5 * 60_000); // three probes fail
  t.unhang('search');
  await t.advance(60_000);
  const [instance] = (await t.infra.instances.list()).items;
  expect(instance).toMatchObject({ status: 'running', statusDetail: { health: { state: 'healthy' } } });
  expect(t.recordedEvents('MCPServerInstanceStatusChanged').map(({ data }) => data.reason)).toContain(
    'UNHEALTHY',
  );
});
//#endregion

it('can be tested by node:test too', async () => {
  const program = fileURLToPath(new URL('../dist/search-host.node-test.js', import.meta.url));
  // Left in place, the variable that tells a test of node:test that it is a child would change what is printed.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, ['--test', '--test-reporter=tap', program], {
    env,
  });
  expect(stdout).toMatch(/^# pass 1$/m);
  expect(stdout).toMatch(/^# fail 0$/m);
});
