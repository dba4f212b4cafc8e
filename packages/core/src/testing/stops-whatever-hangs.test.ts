import { beforeAll, describe, expect, it } from 'vitest';
import { createMCPInfra, memoryEventBus, memorySecrets, memoryStore } from '../index.js';
import { MCPInfraError } from '../plugin.js';
import { fakeProvider } from './fake-provider.js';
import { manualClock } from './manual-clock.js';
import { hangs, untilSettled } from './until-settled.fixture.js';

const stopMs = 500;
const jsonSpec = { type: 'docker', image: 'mcp/test' } as const;
const secretSpec = { ...jsonSpec, environment: { API_TOKEN: 'secret_ref:shared:TOKEN' } } as const;

/** The documented ends of what a stop finds under way, besides success. */
const ends = ['ALREADY_STOPPED', 'NOT_STARTED', 'CONNECTION_CLOSED', 'OUTCOME_UNKNOWN'];

/** The names of everything that can be called on a plugin, those of its tables included. */
function methodsOf(plugin: object, within = ''): string[] {
  const own = (part: object): string[] => {
    const parent: unknown = Object.getPrototypeOf(part);
    const inherited = parent instanceof Object && parent !== Object.prototype ? own(parent) : [];
    return [...Object.getOwnPropertyNames(part), ...inherited];
  };
  return [...new Set(own(plugin))].flatMap((key) => {
    const value: unknown = key === 'constructor' ? undefined : Reflect.get(plugin, key);
    if (typeof value === 'function') return [`${within}${key}`];
    const isTable = within === '' && typeof value === 'object' && value !== null && tables.has(key);
    return isTable ? methodsOf(value, `${key}.`) : [];
  });
}

const tables = new Set(['servers', 'instances', 'events', 'leases', 'counters']);

/** A plugin of which one method answers nothing once it is told so. */
function hangingIn<T extends object>(plugin: T, method: string, isAway: () => boolean, within = ''): T {
  return new Proxy(plugin, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value === 'function')
        return (...args: readonly unknown[]): unknown =>
          isAway() && `${within}${String(key)}` === method ? hangs() : Reflect.apply(value, target, args);
      const isTable = typeof value === 'object' && value !== null && tables.has(String(key));
      return isTable ? hangingIn(value, method, isAway, `${String(key)}.`) : value;
    },
  });
}

/** What answers at once, or is told and not asked. */
const atOnce = new Set(['watch', 'canOverlap', 'healthy']);
/** What a test does to a fake is no method of a port. */
const ports = {
  store: methodsOf(memoryStore()),
  bus: methodsOf(memoryEventBus()),
  secrets: methodsOf(memorySecrets()),
  provider: [
    'open',
    'close',
    'placement',
    'isPrepared',
    'prepare',
    'ensureRunning',
    'ensureStopped',
    'destroy',
    'observe',
    'list',
    'logs',
    'dial',
    'doctor',
  ],
} as const;
type Port = keyof typeof ports;
const cases = (Object.keys(ports) as Port[]).flatMap((port) =>
  ports[port].filter((method) => !atOnce.has(method)).map((method) => [port, method] as const),
);

async function drained(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

beforeAll(async () => {
  await import('@modelcontextprotocol/client');
  await import('../runtime/doctor.js');
  await import('../services/documents/desired-state.js');
  await import('../services/events/subscription.js');
  await import('../services/reconcile/orphan-collector.js');
});

async function fleet(port: Port, method: string, onStop: 'keep' | 'destroy') {
  const clock = manualClock();
  let away = false;
  const part = <T extends object>(name: Port, plugin: T): T =>
    name === port ? hangingIn(plugin, method, () => away) : plugin;
  const infra = createMCPInfra({
    clock,
    onStop,
    store: part('store', memoryStore({ clock })),
    events: part('bus', memoryEventBus()),
    secrets: [part('secrets', memorySecrets({ 'shared:TOKEN': 'value' }))],
    providers: [part('provider', fakeProvider({ clock, tools: { slow: hangs } }))],
  });
  const starting = infra.start();
  await untilSettled(clock, starting);
  await starting;
  for (const name of ['a', 'b', 'c', 'd']) {
    const made = infra.instances.create({ name, jsonSpec: secretSpec }, { wait: true });
    await untilSettled(clock, made);
    await made;
  }
  return { clock, infra, hang: () => void (away = true) };
}

describe.each(['keep', 'destroy'] as const)('a stop with onStop: %s', (onStop) => {
  it.each(cases)(
    'ends in its time, and with it all that waits, while %s.%s() hangs',
    async (port, method) => {
      const { clock, infra, hang } = await fleet(port, method, onStop);
      const { instances, servers, environment, events } = infra;
      const { items } = await instances.list();
      const [a, b, c, d] = items.map(({ id }) => id) as [string, string, string, string];
      hang();
      const under: Record<string, Promise<unknown>> = {
        create: instances.create({ name: 'new', jsonSpec: secretSpec }, { wait: true }),
        ensure: instances.ensure({ name: 'ensured', jsonSpec }, { wait: true }),
        ready: instances.waitUntilReady(a),
        waitFor: instances.waitFor(a, 'stopped'),
        get: instances.get(a),
        list: instances.list(),
        count: instances.count(),
        watch: drained(instances.watch(a)),
        call: instances.callTool(a, 'slow'),
        connect: instances.connect(a),
        logs: drained(instances.logs(a)),
        tools: instances.tools(a),
        stop: instances.stop(b, { wait: true }),
        delete: instances.delete(c, { wait: true }),
        restart: instances.restart(d, { wait: true }),
        update: instances.update(a, { jsonSpec: { image: 'mcp/other' } }, { wait: true }),
        checkSecrets: instances.checkSecrets(a),
        set: environment.set(a, 'OTHER_TOKEN', 'x'),
        rotate: environment.rotate(a, 'API_TOKEN', 'y'),
        register: servers.register({ name: 's', dockerImageUrl: 'mcp/s' }),
        subscribe: events.subscribe({ group: 'g', from: 'beginning' }, hangs),
        read: drained(events.read({ after: 0 })),
        collect: infra.collect(),
        export: infra.export(),
        apply: infra.apply({ instances: [{ name: 'applied', jsonSpec }] }, { wait: true }),
        doctor: infra.doctor(),
        health: infra.health(),
      };
      const open = new Set(Object.keys(under));
      const codes: Record<string, string> = {};
      for (const [name, wait] of Object.entries(under))
        wait.then(
          () => open.delete(name),
          (error: unknown) => {
            open.delete(name);
            codes[name] = MCPInfraError.isInstance(error) ? error.code : String(error);
          },
        );
      await clock.advance(200);
      const waiting = [...open];
      expect(await untilSettled(clock, infra.stop({ timeoutMs: stopMs }))).toBeLessThanOrEqual(stopMs);
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
      await clock.advance(0);
      expect([...open]).toEqual([]);
      expect(
        waiting.filter((name) => codes[name] && !ends.includes(codes[name])).map((n) => [n, codes[n]]),
      ).toEqual([]);
      // An iterator that was broken off is given time to end; nothing waits for it.
      expect(clock.pending).toBeLessThanOrEqual(method === 'logs' ? 1 : 0);
    },
  );
});
