import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMCPInfra, type MCPInfraOptions } from '@mcpinfra/core';
import {
  secretId,
  Secret,
  type ContainerSpec,
  type Provider,
  type SecretResolver,
} from '@mcpinfra/core/plugin';
import { fakeProvider, type FakeProvider, recordingLogger } from '@mcpinfra/core/testing';
import { agentAreaBridge, type AgentAreaBridgeSettings } from '@mcpinfra/events-redis';
import { Redis } from 'ioredis';
import { expect, onTestFinished } from 'vitest';

/** What the platform heard of an instance. */
interface Heard {
  readonly event: string;
  readonly eventId: string;
  readonly instanceId: string;
  readonly name: string;
  readonly status?: string | undefined;
  readonly error?: string | undefined;
  readonly url?: string | undefined;
  readonly payload: string;
}

/** AgentArea as its managers see it: a raw client that publishes what the API does, and one that hears what it does. */
export interface Platform {
  readonly url: string;
  /** Before the names of channels and keys, so that tests do not hear each other. */
  readonly prefix: string;
  readonly heard: readonly Heard[];
  readonly redis: Redis;
  /** Publishes an event in the bytes of FastStream 0.5, and tells how many heard it. */
  publish(type: string, data: object, eventId?: string): Promise<number>;
  /** Adds an event to the stream. */
  add(type: string, data: object, eventId?: string): Promise<string>;
  created(input: { readonly id?: string; readonly name?: string; readonly json_spec: object }): CreatedData;
  /** The statuses of an instance, in the order in which they were told. */
  statuses(instanceId: string): readonly (string | undefined)[];
}

interface CreatedData {
  readonly instance_id: string;
  readonly server_spec_id: string | null;
  readonly name: string;
  readonly json_spec: object;
}

/** The bytes in which the platform's API publishes, spaces of Python's json included. */
export function wireBytes(
  type: string,
  data: object,
  eventId: string = randomUUID(),
  atMs = Date.now(),
): string {
  const inner =
    `{"event_id": "${eventId}", "timestamp": "${String(atMs / 1000)}", ` +
    `"event_type": "${type}", "data": ${JSON.stringify(data)}}`;
  return `{"data": ${JSON.stringify(inner)}, "headers": {"correlation_id": "${randomUUID()}", "content-type": "application/json"}}`;
}

export async function startPlatform(url: string): Promise<Platform> {
  const prefix = `test-${randomUUID()}:`;
  const redis = new Redis(url);
  // Pub/Sub keeps nothing: who hears has to be back before whoever tells, or it hears less than was told. With the check
  // for readiness, ioredis may take a subscription for made that a restarted server does not have.
  const hearing = new Redis(url, { retryStrategy: () => 10, enableReadyCheck: false });
  // A test may end with a Redis that it has killed.
  for (const connection of [redis, hearing]) connection.on('error', () => undefined);
  onTestFinished(() => {
    redis.disconnect();
    hearing.disconnect();
  });
  const heard: Heard[] = [];
  hearing.on('message', (_channel, payload) => heard.push(readHeard(payload)));
  await hearing.subscribe(`${prefix}MCPServerInstanceStatusChanged`, `${prefix}MCPServerInstanceError`);
  return {
    ...{ url, prefix, heard, redis },
    publish: (type, data, eventId) => redis.publish(`${prefix}${type}`, wireBytes(type, data, eventId)),
    add: async (type, data, eventId) => {
      const id = await redis.xadd(`${prefix}stream`, '*', '__data__', wireBytes(type, data, eventId));
      return id ?? expect.fail('nothing was added');
    },
    created: ({ id = randomUUID(), name = `i-${id.slice(0, 8)}`, json_spec }) => ({
      instance_id: id,
      server_spec_id: null,
      name,
      json_spec,
    }),
    statuses: (instanceId) =>
      heard
        .filter((one) => one.instanceId === instanceId && one.event === 'MCPServerInstanceStatusChanged')
        .map(({ status }) => status),
  };
}

/** Reads a message as the platform's API does. */
function readHeard(payload: string): Heard {
  const { data: envelope, headers } = JSON.parse(payload) as {
    data: { event_type: string; event_id: string; timestamp: string; data: Record<string, string> };
    headers: object;
  };
  const { event_type: event, event_id: eventId, timestamp, data } = envelope;
  expect(headers).toEqual({});
  expect(timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u);
  expect(data['timestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/u);
  const { instance_id: instanceId = '', name = '', status, error, url } = data;
  return { event, eventId, instanceId, name, status, error, url, payload };
}

type Options = Partial<Omit<MCPInfraOptions<readonly [Provider<ContainerSpec>]>, 'providers'>> & {
  readonly provider?: FakeProvider<ContainerSpec>;
  readonly bridge?: AgentAreaBridgeSettings;
};

/** A host with the bridge, whose servers run in this process. */
export async function startHost(platform: Platform, options: Options = {}) {
  const { provider = fakeProvider(), bridge: settings, ...rest } = options;
  const logger = recordingLogger();
  const infra = createMCPInfra({ providers: [provider], logger, ...rest });
  await infra.start();
  const { url, prefix } = platform;
  const keys = { channelPrefix: prefix, prefix: `${prefix}bridge`, logger };
  const bridge = agentAreaBridge(infra, { url, ...keys, ...settings });
  const stop = async (): Promise<void> => {
    await bridge.stop();
    await infra.stop();
  };
  onTestFinished(stop);
  await bridge.start();
  return { infra, provider, bridge, logger, stop };
}

/** A plugin that several hosts of one process have: the first opens it, and none closes it. */
export function shared<T extends object>(plugin: T): T {
  const answers = new Map<string | symbol, unknown>();
  return new Proxy(plugin, {
    get: (target, key) => {
      if (key === 'close') return async () => undefined;
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]) => {
        if (key !== 'open') return Reflect.apply(value, target, args) as unknown;
        if (!answers.has(key)) answers.set(key, Reflect.apply(value, target, args));
        return answers.get(key);
      };
    },
  });
}

/** Asks until it is so. */
export async function until(isSo: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > deadline)
      expect.fail(`not so within ${String(timeoutMs)} ms: ${isSo.toString()}`);
    await sleep(20);
  }
}

/** Secrets whose id begins with a given one, and what was asked for. */
export function recordingSecrets(given: Readonly<Record<string, string>>, asked: string[]): SecretResolver {
  return {
    specificationVersion: 'v1',
    name: 'recording',
    resolve: async (references) => {
      const found = new Map<string, Secret>();
      for (const id of references.map(secretId)) {
        asked.push(id);
        const prefix = Object.keys(given).find((one) => id.startsWith(one));
        if (prefix !== undefined) found.set(id, new Secret(given[prefix] ?? ''));
      }
      return found;
    },
  };
}
