import { expect, it } from 'vitest';
import { createTestInfra } from './create-test-infra.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;

it('goes on telling why it failed while it is started again', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  t.crash('one', { exitCode: 7, lines: ['disk full'] });
  t.hang('one');
  await t.settle();
  const { status, statusDetail } = await t.infra.instances.get(id);
  expect(status).toBe('starting');
  expect(statusDetail).toMatchObject({ reason: 'EXITED', lastExit: { exitCode: 7 }, nextRetryAt: null });
  expect(statusDetail.message).toContain('exited with code 7');
  t.unhang('one');
  await t.settle();
  expect((await t.infra.instances.get(id)).statusDetail).toMatchObject({
    reason: '',
    lastExit: { exitCode: 7 },
  });
});

it('says why and with the last lines when a wait is ended, also after a startup timeout', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, lifecycle: { startup_timeout: 10, stop_grace: 1 } },
  });
  await t.settle();
  t.hang('one');
  // The copy is kept through a crash, and so is what it wrote.
  t.crash('one', { lines: ['waiting for the database'] });
  await t.settle();
  const leaving = new AbortController();
  const wait = t.infra.instances.waitUntilReady(id, { signal: leaving.signal });
  const refused = expect(wait).rejects.toMatchObject({
    code: 'ABORTED',
    message: expect.stringMatching(
      /STARTUP_TIMEOUT.*did not become ready within 10 s.*waiting for the database/s,
    ) as string,
    details: { statusDetail: { reason: 'STARTUP_TIMEOUT' }, lastLogLines: ['waiting for the database'] },
  });
  await t.advance(14_000);
  leaving.abort();
  await t.settle();
  await refused;
});

it('tells what a server refuses as soon as it is known, while the start still waits', async () => {
  await using t = await createTestInfra();
  const { id } = await t.infra.instances.create({
    name: 'one',
    jsonSpec: { ...docker, health_check: { canary_tool: 'no-such-tool' } } as never,
  });
  await t.advance(200);
  const { status, statusDetail } = await t.infra.instances.get(id);
  expect(status).toBe('starting');
  expect(statusDetail.reason).not.toBe('');
  expect(statusDetail.message).toContain('no-such-tool');
});
