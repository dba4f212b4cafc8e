import { expect, it } from 'vitest';
import { memoryStore } from '../../index.js';
import { mcpError, type Store } from '../../plugin.js';
import { altered } from '../../testing/altered.fixture.js';
import { manualClock } from '../../testing/manual-clock.js';
import { recordingLogger } from '../../testing/recording-logger.js';
import { EventHub } from './event-hub.js';
import { Subscription, type SubscriptionParts } from './subscription.js';

it('says nothing more of its trouble once another process handles the group', async () => {
  const clock = manualClock();
  const opened = memoryStore({ clock });
  await opened.open();
  let away = true;
  const head: Store['events']['head'] = async (...args) => {
    if (away) throw mcpError('STORE_FAILED', 'The store is away.');
    return opened.events.head(...args);
  };
  const store = altered(opened, { events: altered(opened.events, { head }) });
  const context = {
    store,
    clock,
    logger: recordingLogger(),
    random: () => 0,
  } as unknown as SubscriptionParts['context'];
  const said: boolean[] = [];
  const condition = {
    report: (_: string, ok: boolean) => void said.push(ok),
  } as unknown as SubscriptionParts['condition'];
  let mine = true;
  const claims = { claim: async () => undefined, unclaim: async () => undefined, holds: () => mine };
  const parts = { context, hub: new EventHub(context), condition, claims, scope: null };
  const ending = new AbortController();
  const run = new Subscription(parts, {
    group: '*/g',
    start: 0,
    oldest: false,
    types: undefined,
    labels: undefined,
    handler: () => undefined,
  }).run(ending.signal);

  await clock.advance(1_000);
  expect(said.at(-1)).toBe(false);
  mine = false;
  away = false;
  await clock.advance(2_000);
  expect(said.at(-1)).toBe(true);
  ending.abort();
  await run;
  await opened.close();
});
