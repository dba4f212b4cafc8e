import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import type { Event } from '@mcpinfra/core/plugin';
import { redisEvents, type RedisEventsOptions } from '@mcpinfra/events-redis';
import { freezableProxy, startPrivateRedis } from '@mcpinfra/tools';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exampleEvent, exampleEvents, partOf, partsOf } from './support/example-event.js';
import { eventually, Fleet, inboxOf } from './support/fleet.js';

const group = 'workers';
const failed = { code: 'EVENT_BUS_FAILED' };

describe('with a Redis that comes and goes', () => {
  const redis = serviceOrSkip(startPrivateRedis);

  it('opens without it, and takes subscribers that hear of everything once it is there', async () => {
    await redis().kill();
    const fleet = new Fleet(redis().url);
    const bus = await fleet.bus();
    expect(bus.healthy?.()).toBe(false);
    await expect(bus.publish([exampleEvent()])).rejects.toMatchObject(failed);
    const [alone, grouped] = [await inboxOf(bus), await inboxOf(bus, { group })];
    await redis().restart();
    await eventually(() => bus.healthy?.()).toBe(true);
    // A subscription takes effect a moment after the connection: so it is asked until it has.
    await eventually(async () => {
      await bus.publish([exampleEvent('there')]);
      return [alone.length > 0, grouped.length > 0];
    }).toEqual([true, true]);
  });

  it('closes soon although it is away', async () => {
    const fleet = new Fleet(redis().url);
    const bus = await fleet.bus({ closeTimeoutMs: 300 });
    await inboxOf(bus, { group });
    await redis().kill();
    await eventually(() => bus.healthy?.()).toBe(false);
    await bus.close();
    await redis().restart();
  });

  it('loses nothing that it accepted over a restart in the middle of it', async () => {
    const fleet = new Fleet(redis().url);
    const [publisher, worker] = [await fleet.bus(), await fleet.bus()];
    const [alone, grouped] = [await inboxOf(worker), await inboxOf(worker, { group })];
    const accepted: Event[] = [];
    let rejected = 0;
    const over = new AbortController();
    const publishing = (async () => {
      for (let at = 0; !over.signal.aborted; at += 1) {
        const events = exampleEvents(`batch-${at}`, 20);
        try {
          await publisher.publish(events);
          accepted.push(...events);
        } catch (error) {
          expect(error).toMatchObject(failed);
          rejected += 1;
        }
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    await eventually(() => accepted.length).toBeGreaterThan(200);
    await redis().kill();
    await eventually(() => rejected).toBeGreaterThan(0);
    const before = accepted.length;
    await redis().restart();
    await eventually(() => accepted.length).toBeGreaterThan(before + 200);
    over.abort();
    await publishing;
    for (const inbox of [alone, grouped]) {
      const missing = () => {
        const got = new Set(inbox.map(partOf));
        return accepted.filter((event) => !got.has(partOf(event)));
      };
      await eventually(() => missing().length).toBe(0);
    }
    await eventually(() => fleet.pending(group)).toEqual([]);
  });

  it('begins a stream anew that Redis has lost, and misses nothing of it', async () => {
    const fleet = new Fleet(redis().url);
    const bus = await fleet.bus();
    const [alone, grouped] = [await inboxOf(bus), await inboxOf(bus, { group })];
    await bus.publish([exampleEvent('first')]);
    await eventually(() => [partsOf(alone), partsOf(grouped)]).toEqual([['first'], ['first']]);
    await fleet.redis.flushall();
    await bus.publish([exampleEvent('second')]);
    await eventually(() => [partsOf(alone), partsOf(grouped)]).toEqual([
      ['first', 'second'],
      ['first', 'second'],
    ]);
  });

  it('tells nothing again of a stream that has lost its end, and goes on with what comes next', async () => {
    const fleet = new Fleet(redis().url);
    const bus = await fleet.bus();
    const alone = await inboxOf(bus);
    await bus.publish(exampleEvents('before', 300));
    await eventually(() => alone.length).toBe(300);
    // As after a crash with `appendfsync everysec`, or a failover: the last entries are gone, and a new connection is made.
    const kept = await fleet.redis.xrange(fleet.events, '-', '+', 'COUNT', 297);
    const lost = fleet.redis.multi().del(fleet.events);
    for (const [id, fields] of kept) lost.xadd(fleet.events, id, ...fields);
    await lost.exec();
    await fleet.redis.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually(() => fleet.redis.client('LIST')).toContain('cmd=xread');
    await eventually(async () => {
      await bus.publish([exampleEvent('after')]).catch(() => undefined);
      return partsOf(alone);
    }).toContain('after');
    expect(alone.filter((event) => partOf(event) !== 'after')).toHaveLength(300);
  });

  it('gives a subscriber without a group no more at once than its handlers may have', async () => {
    const fleet = new Fleet(redis().url);
    const bus = await fleet.bus({ concurrency: 10 });
    const running: (() => void)[] = [];
    let most = 0;
    let handled = 0;
    await bus.subscribe({}, async () => {
      handled += 1;
      await new Promise<void>((resolve) => {
        running.push(resolve);
        most = Math.max(most, running.length);
      });
    });
    await bus.publish(exampleEvents('many', 500));
    await eventually(() => {
      running.splice(0).forEach((end) => end());
      return handled;
    }).toBe(500);
    running.splice(0).forEach((end) => end());
    expect(most).toBe(10);
  });

  it('needs no other right than the guide says', async () => {
    const guide = await readFile(new URL('../README.md', import.meta.url), 'utf8');
    const rules = /ACL SETUSER mcpinfra on >password (.+)/u.exec(guide)?.[1] ?? '';
    const fleet = new Fleet(redis().url);
    await fleet.redis.acl('SETUSER', fleet.name, 'reset', 'on', '>pw', ...rules.split(' '));
    await fleet.redis.acl('LOG', 'RESET');
    const url = new URL(redis().url);
    url.username = fleet.name;
    url.password = 'pw';
    const said = new Map<string, boolean>();
    const bus = redisEvents({
      url: url.href,
      maxEvents: 100,
      maxDeliveries: 2,
      retryDelayMs: 1,
      claimIdleMs: 300,
    });
    onTestFinished(() => bus.close());
    await bus.open({ fleet: fleet.name, report: (part, ok) => said.set(part, ok) });
    const inbox = await inboxOf(bus);
    await bus.subscribe({ group }, (event) => {
      if (partOf(event) === 'bad') throw new Error('never');
    });
    await bus.publish([exampleEvent('bad'), ...exampleEvents('many', 2_000)]);
    await eventually(() => inbox.length).toBe(2_001);
    await eventually(() => fleet.redis.xlen(fleet.dead)).toBe(1);
    await eventually(() => fleet.pending(group)).toEqual([]);
    await eventually(async () => {
      await bus.publish(exampleEvents('more', 1_000));
      return (await fleet.redis.xlen(fleet.events)) < 1_500;
    }).toBe(true);
    await eventually(() => said.get(`group:${group}/upkeep`)).toBe(true);
    await bus.close();
    const refused = (await fleet.redis.acl('LOG')) as string[][];
    expect(refused.map((row) => row[row.indexOf('object') + 1])).toEqual([]);
    expect([...said].filter(([, ok]) => !ok)).toEqual([]);
  });

  it('gives up on a Redis that hangs, and is well again when that goes on', async () => {
    const fleet = new Fleet(redis().url);
    const bus = await fleet.bus({ commandTimeoutMs: 300 });
    const pid = redis().pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    try {
      await expect(bus.publish([exampleEvent()])).rejects.toMatchObject(failed);
      await eventually(() => bus.healthy?.()).toBe(false);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await eventually(() => bus.healthy?.()).toBe(true);
    await bus.publish([exampleEvent()]);
  });

  it('notices within seconds that it hangs though nothing is published, and that it goes on', async () => {
    const fleet = new Fleet(redis().url);
    const bus = await fleet.bus({ commandTimeoutMs: 300 });
    await inboxOf(bus, { group });
    await eventually(() => bus.healthy?.()).toBe(true);
    const pid = redis().pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    try {
      await expect.poll(() => bus.healthy?.(), { timeout: 5_000 }).toBe(false);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await eventually(() => bus.healthy?.()).toBe(true);
  });

  it('hears again, over new connections, what comes after those it had fell silent', async () => {
    const proxy = await freezableProxy(redis().url);
    onTestFinished(() => proxy.close());
    const fleet = new Fleet(redis().url);
    const publisher = await fleet.bus();
    // What Redis gave to a connection that is dead is taken over like that of a process that is.
    const worker = await fleet.open({ url: proxy.url, commandTimeoutMs: 300, claimIdleMs: 1_000 });
    const [alone, grouped] = [await inboxOf(worker), await inboxOf(worker, { group })];
    await publisher.publish([exampleEvent('before')]);
    await eventually(() => [partsOf(alone), partsOf(grouped)]).toEqual([['before'], ['before']]);
    proxy.freeze();
    proxy.thaw();
    await publisher.publish([exampleEvent('after')]);
    await eventually(() => [
      alone.map(partOf).includes('after'),
      grouped.map(partOf).includes('after'),
    ]).toEqual([true, true]);
  });

  it('says what Redis refuses it, until it does no more', async () => {
    const fleet = new Fleet(redis().url);
    const said = new Map<string, boolean>();
    const url = new URL(redis().url);
    url.username = fleet.name;
    url.password = 'pw';
    const allow = (...rules: string[]) =>
      fleet.redis.acl('SETUSER', fleet.name, 'on', '>pw', '~*', '&*', '+@all', ...rules);
    await allow('-xread', '-xreadgroup', '-xtrim');
    const bus = redisEvents({ url: url.href });
    onTestFinished(() => bus.close());
    await bus.open({ fleet: fleet.name, report: (part, ok) => said.set(part, ok) });
    const inbox = await inboxOf(bus);
    await bus.subscribe({ group }, () => undefined);
    await bus.publish([exampleEvent('one')]);
    await eventually(() => [said.get('reading'), said.get('trimming'), said.get(`group:${group}`)]).toEqual([
      false,
      false,
      false,
    ]);
    await allow();
    await eventually(() => partsOf(inbox)).toEqual(['one']);
    await bus.publish(exampleEvents('more', 1_000));
    await eventually(() => [said.get('reading'), said.get('trimming'), said.get(`group:${group}`)]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('ends a publish at once when its signal is aborted', async () => {
    const fleet = new Fleet(redis().url);
    const bus = await fleet.bus();
    const pid = redis().pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    const abort = new AbortController();
    const publishing = bus.publish([exampleEvent()], { signal: abort.signal });
    abort.abort();
    try {
      await expect(publishing).rejects.toMatchObject({ code: 'ABORTED' });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  it('connects again after a failover has made its Redis a replica', async () => {
    const primary = await startPrivateRedis();
    onTestFinished(async () => primary.stop());
    const fleet = new Fleet(redis().url);
    const bus = await fleet.bus();
    const grouped = await inboxOf(bus, { group });
    const newest = async () => {
      const list = String(await fleet.redis.client('LIST'));
      return Math.max(...[...list.matchAll(/^id=(\d+)/gmu)].map(([, id]) => Number(id)));
    };
    const before = await newest();
    await fleet.redis.replicaof('127.0.0.1', new URL(primary.url).port);
    await expect(bus.publish([exampleEvent()])).rejects.toMatchObject(failed);
    await eventually(newest).toBeGreaterThan(before);
    await fleet.redis.replicaof('NO', 'ONE');
    await eventually(async () => {
      await bus.publish([exampleEvent('after')]).catch(() => undefined);
      return grouped.length > 0;
    }).toBe(true);
  });
});

describe('with a password', () => {
  const password = 'pass word/?#"';
  const redis = serviceOrSkip(async () => startPrivateRedis({ password: 'pass-word-4711' }));

  it('uses the database of the URL', async () => {
    const fleet = new Fleet(redis().url);
    const bus = await fleet.open({ url: `${redis().url}/2` });
    const [alone, grouped] = [await inboxOf(bus), await inboxOf(bus, { group })];
    await bus.publish([exampleEvent('two')]);
    await eventually(() => [partsOf(alone), partsOf(grouped)]).toEqual([['two'], ['two']]);
    expect(await fleet.redis.exists(fleet.events)).toBe(0);
    await fleet.redis.select(2);
    expect(await fleet.redis.exists(fleet.events)).toBe(1);
  });

  it('names it in no error and shows it in no inspection', async () => {
    const wrong = new URL(redis().url);
    wrong.password = encodeURIComponent(password);
    const fleet = new Fleet(redis().url);
    const bus = await fleet.open({ url: wrong.href });
    const error = await bus.publish([exampleEvent()]).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      ...failed,
      message: expect.stringMatching(/WRONGPASS|Ready check/u) as string,
    });
    const shown = inspect([bus, error], { depth: 20, showHidden: true });
    for (const text of [password, encodeURIComponent(password), '4711']) expect(shown).not.toContain(text);
  });
});

describe('over TLS', () => {
  const redis = serviceOrSkip(async () => startPrivateRedis({ tls: true }));

  it('trusts whom it is told to trust', async () => {
    const fleet = new Fleet(redis().url);
    const bus = await fleet.open({ url: redis().url, tls: { ca: redis().certificate } });
    const inbox = await inboxOf(bus, { group });
    await bus.publish([exampleEvent('safe')]);
    await eventually(() => partsOf(inbox)).toEqual(['safe']);
  });

  it('does not trust a stranger, and says why', async () => {
    const bus = await new Fleet(redis().url).open({ url: redis().url });
    await expect(bus.publish([exampleEvent()])).rejects.toThrow(/self.signed certificate/u);
  });
});

describe('with a client of the host', () => {
  const redis = serviceOrSkip(startPrivateRedis);

  it('uses its settings, key prefix included, and leaves it open', async () => {
    const client = new Redis(redis().url, { keyPrefix: 'host:', db: 3, commandTimeout: 50 });
    onTestFinished(() => client.disconnect());
    const fleet = new Fleet(redis().url);
    const bus = await fleet.open({ client });
    const [alone, grouped] = [await inboxOf(bus), await inboxOf(bus, { group })];
    await bus.publish([exampleEvent('mine')]);
    await eventually(() => [partsOf(alone), partsOf(grouped)]).toEqual([['mine'], ['mine']]);
    expect(await client.exists(fleet.events)).toBe(1);
    await bus.close();
    expect(await client.ping()).toBe('PONG');
  });
});

it.each<[string, object, RegExp]>([
  ['nothing', {}, /one of url and client/],
  ['both', { url: 'redis://a', client: {} }, /one of url and client/],
  ['another protocol', { url: 'http://:secret@a' }, /expected url to be like redis:/],
  ['a database that is none', { url: 'redis://:secret@a/x' }, /expected url to be like redis:/],
  ['tls without TLS', { url: 'redis://a', tls: {} }, /rediss:/],
  ['a cluster', { client: { isCluster: true, duplicate: () => {}, options: {} } }, /not a Cluster/],
  [
    'an unknown option',
    { url: 'redis://a', maxEvent: 1 },
    /no option "maxEvent"; did you mean "maxEvents"\?/,
  ],
  [
    'a number that is none',
    { url: 'redis://a', maxEvents: '7' },
    /maxEvents to be a whole number from 1 on, got "7"/,
  ],
])('refuses %s', (_, options, message) => {
  let error: unknown;
  try {
    redisEvents(options as RedisEventsOptions);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code: 'INVALID_OPTIONS', message: expect.stringMatching(message) as string });
  expect(inspect(error)).not.toContain('secret');
});
