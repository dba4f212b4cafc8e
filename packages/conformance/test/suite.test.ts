import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { eventBusRequirements, eventBusSuite, type RegisterTest } from '@mcpinfra/conformance/event-bus';
import { secretResolverRequirements } from '@mcpinfra/conformance/secret-resolver';
import { storeRequirements } from '@mcpinfra/conformance/store';
import { memoryEventBus } from '@mcpinfra/core';
import { describe, expect, it } from 'vitest';
import { brokenBus } from './support/broken-bus.js';
import { collectFailures } from './support/collect-failures.js';

const wholeId = 'event-bus/delivery/whole';
const largeId = 'event-bus/delivery/large-event';

/** A bus that loses the tenant of every event. */
const forgetful = () =>
  brokenBus(memoryEventBus(), (bus) => ({
    subscribe: (subscription, handler, options) =>
      bus.subscribe(subscription, (event) => handler({ ...event, tenant: '' }), options),
  }));

const forgetfulSuite = (it: RegisterTest, skip?: Record<string, string>) =>
  eventBusSuite({ it, skip, patienceMs: 500, create: () => ({ bus: forgetful() }) });

describe('a suite', () => {
  it('registers one test for each requirement, named after it', () => {
    const names: string[] = [];
    forgetfulSuite((name) => names.push(name));
    expect(names).toEqual(eventBusRequirements.map(({ id, text }) => `${id}: ${text}`));
  });

  it.each([
    ['event-bus', eventBusRequirements],
    ['secret-resolver', secretResolverRequirements],
    ['store', storeRequirements],
  ])('gives each requirement of %s an id of its own and a sentence', (port, requirements) => {
    expect(new Set(requirements.map(({ id }) => id)).size).toBe(requirements.length);
    for (const { id, text } of requirements) {
      expect(id).toMatch(new RegExp(`^${port}/[a-z-]+/[a-z-]+$`, 'u'));
      expect(text).toMatch(/^[^\n]+\.$/u);
    }
  });

  it('makes something new for each case and disposes of it, also when the case failed', async () => {
    let [made, disposed] = [0, 0];
    const { failed } = await collectFailures((register) =>
      eventBusSuite({
        it: register,
        create: () => {
          made += 1;
          return { bus: forgetful(), dispose: async () => void (disposed += 1) };
        },
      }),
    );
    expect([...failed.keys()]).toEqual([wholeId, largeId]);
    expect([made, disposed]).toEqual([eventBusRequirements.length, eventBusRequirements.length]);
  });

  it('tells why a case failed, not what disposing of its remains said, and fails where only that did', async () => {
    const dispose = () => Promise.reject(new RangeError('cannot be disposed of'));
    const { failed, passed } = await collectFailures((register) =>
      eventBusSuite({ it: register, create: () => ({ bus: forgetful(), dispose }) }),
    );
    expect(passed).toEqual([]);
    const ofTheCase = [...failed].filter(([, error]) => !(error instanceof RangeError)).map(([id]) => id);
    expect(ofTheCase).toEqual([wholeId, largeId]);
    expect(failed.size).toBe(eventBusRequirements.length);
  });

  it('reports with its reason what does not concern the subject', async () => {
    const { skipped } = await collectFailures((register) => forgetfulSuite(register));
    expect(skipped.get('event-bus/processes/fleets')).toMatch(/no another\(\)/u);
  });
});

describe('a skip', () => {
  it('has its case run all the same and reported as skipped, with the reason and what failed', async () => {
    const outcomes = await collectFailures((register) =>
      forgetfulSuite(register, { [wholeId]: 'The tenant has no field yet.', [largeId]: 'As above.' }),
    );
    expect([...outcomes.failed.keys()]).toEqual([]);
    expect(outcomes.skipped.get(wholeId)).toMatch(/^The tenant has no field yet\. \(AssertionError.*\)$/u);
  });

  it('is reported also by a runner whose skip() throws, as that of vitest does', async () => {
    const thrown: unknown[] = [];
    const runs: Promise<void>[] = [];
    forgetfulSuite(
      (name, run) => {
        const skip = (reason?: string) => {
          throw new RangeError(`skipped: ${reason}`);
        };
        if (name.startsWith(wholeId))
          runs.push(run({ skip }).catch((error: unknown) => void thrown.push(error)));
      },
      { [wholeId]: 'The tenant has no field yet.' },
    );
    await Promise.all(runs);
    expect(thrown).toMatchObject([{ message: expect.stringMatching(/^skipped: The tenant/u) as string }]);
  });

  it('fails once its case holds', async () => {
    const stale = 'event-bus/delivery/types';
    const skip = { [wholeId]: 'No field.', [largeId]: 'No field.', [stale]: 'It was so once.' };
    const { failed } = await collectFailures((register) => forgetfulSuite(register, skip));
    expect([...failed.keys()]).toEqual([stale]);
    expect(failed.get(stale)).toMatchObject({
      message: expect.stringContaining('remove it from skip') as string,
    });
  });

  it('is refused when its id is of no case', () => {
    const skip = { 'event-bus/delivery/whle': 'Misspelt.' };
    expect(() => forgetfulSuite(() => undefined, skip)).toThrow(/"event-bus\/delivery\/whle".*no case/u);
  });

  it('is refused without a reason', () => {
    expect(() => forgetfulSuite(() => undefined, { [wholeId]: ' ' })).toThrow(/no reason/u);
  });
});

describe('under node:test', () => {
  it('passes with what is right', async () => {
    const { exitCode, outcomes } = await nodeTest('./fixtures/secret-resolver.node-test.mjs');
    expect(outcomes.filter(({ ok }) => !ok)).toEqual([]);
    expect(outcomes).toHaveLength(secretResolverRequirements.length);
    const store = outcomes.find(({ id }) => id === 'secret-resolver/store/put');
    expect(store).toMatchObject({ ok: true, skipped: expect.stringContaining('resolver only') as string });
    expect(exitCode).toBe(0);
  });

  it('fails what is wrong, skips what is excused, and refuses a stale excuse', async () => {
    const { exitCode, outcomes } = await nodeTest('./fixtures/broken-bus.node-test.mjs');
    expect(outcomes).toHaveLength(eventBusRequirements.length);
    const failed = outcomes.filter(({ ok }) => !ok).map(({ id }) => id);
    expect(failed).toEqual(['event-bus/publish/empty-batch', largeId]);
    const excused = outcomes.find(({ id }) => id === wholeId);
    expect(excused?.skipped).toMatch(/^The tenant has no field yet\./u);
    expect(exitCode).toBe(1);
  });
});

interface Outcome {
  readonly id: string;
  readonly ok: boolean;
  readonly skipped: string | undefined;
}

/** Runs a file by `node --test` and reads how its tests ended. */
async function nodeTest(path: string) {
  const file = fileURLToPath(new URL(path, import.meta.url));
  const args = ['--test', '--test-reporter=tap', file];
  // A test run within a test run reports to the one around it unless it is told otherwise.
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined };
  const [exitCode, output] = await new Promise<readonly [unknown, string]>((resolve) => {
    execFile(process.execPath, args, { env, maxBuffer: 2 ** 26 }, (error, stdout) =>
      resolve([error === null ? 0 : error.code, stdout]),
    );
  });
  const line = /^ *(?<not>not )?ok \d+ - (?<id>[a-z-]+(?:\/[a-z-]+){2}): .*?(?: # SKIP (?<reason>.*))?$/gmu;
  const outcomes = [...output.matchAll(line)].map(({ groups }): Outcome => ({
    id: groups?.['id'] ?? '',
    ok: groups?.['not'] === undefined,
    skipped: groups?.['reason'],
  }));
  return { exitCode, outcomes };
}
