import fc from 'fast-check';
import { expect, it } from 'vitest';
import { microtasks } from '../async/microtasks.fixture.js';
import { createTestInfra } from './create-test-infra.js';
import { fakeProvider } from './fake-provider.js';
import { manualClock } from './manual-clock.js';
import type { TestTools } from './tools.js';

const docker = { type: 'docker', image: 'mcp/test' } as const;

/** Tools that tell when they are listed. */
function listened(tools: TestTools, onList: () => void): TestTools {
  return new Proxy(tools, {
    ownKeys(target) {
      onList();
      return Reflect.ownKeys(target);
    },
  });
}

it('are listed again whenever the server says so, at whatever moment of a list that is', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 60 }), { minLength: 1, maxLength: 4 }), async (moments) => {
      const clock = manualClock();
      const left = [...moments];
      let made = 0;
      const onList = (): void => {
        const moment = left.shift();
        if (moment === undefined) return;
        void microtasks(moment).then(() => {
          made += 1;
          provider.changeTools(listened({ [`tool-${made}`]: () => 1 }, onList));
        });
      };
      const provider = fakeProvider({ clock, tools: listened({ 'tool-0': () => 1 }, onList) });
      await using t = await createTestInfra({ clock, providers: [provider] });
      const { id } = await t.infra.instances.create({ name: 'one', jsonSpec: docker });
      await t.settle();
      // The waits between lists are 0.25, 0.5, 1 and 2 s; the next planned probe may be 30 s away.
      await t.advance(4_000);
      expect(left).toEqual([]);
      expect((await t.infra.instances.tools(id)).map(({ name }) => name)).toEqual([`tool-${made}`]);
    }),
    { numRuns: 30 },
  );
}, 60_000);

it('are listed ever less often while the server says so all the time, and at once again after a quiet time', async () => {
  const clock = manualClock();
  let lists = 0;
  const tools = listened({ one: () => 1 }, () => void (lists += 1));
  const provider = fakeProvider({ clock, tools });
  await using t = await createTestInfra({ clock, providers: [provider] });
  await t.infra.instances.create({ name: 'one', jsonSpec: docker });
  await t.settle();
  lists = 0;
  for (let tenth = 0; tenth < 100; tenth++) {
    for (let notice = 0; notice < 100; notice++) provider.changeTools(tools);
    await t.advance(100);
  }
  // At 0, 0.25, 0.75, 1.75, 3.75 and 7.75 s, and with a planned probe.
  expect(lists).toBeGreaterThanOrEqual(6);
  expect(lists).toBeLessThanOrEqual(7);
  await t.advance(60_000);
  lists = 0;
  provider.changeTools(tools);
  await t.settle();
  expect(lists).toBe(1);
}, 60_000);

it('are listed also where the health check is of another type, or of none', async () => {
  await using t = await createTestInfra({ tools: { one: () => 1 } });
  const jsonSpec = { ...docker, health_check: { type: 'none' } } as const;
  const { id } = await t.infra.instances.create({ name: 'one', jsonSpec });
  await t.settle();
  // Nobody speaks to it before.
  await t.infra.instances.callTool(id, 'one');
  t.provider.changeTools({ one: () => 1, two: () => 2 });
  await t.settle();
  expect((await t.infra.instances.tools(id)).map(({ name }) => name)).toEqual(['one', 'two']);
});
