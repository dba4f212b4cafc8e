import { OptionChecks, type Logger } from '@mcpinfra/core/plugin';
import type { Redis } from 'ioredis';
import { resolveOptions, type RedisEventsPlace } from '../redis-events-options.js';

/** Options of {@link agentAreaBridge}. */
export type AgentAreaBridgeOptions = AgentAreaBridgeSettings & RedisEventsPlace;

/** Options of {@link agentAreaBridge} that have a default. */
export interface AgentAreaBridgeSettings {
  /**
   * The key of a Redis stream with the same messages as the channels, read by a consumer group. What is added to it
   * waits until a worker has acted on it; what is published to a channel is lost while no worker listens.
   *
   * @defaultValue none
   */
  readonly stream?: string | undefined;
  /**
   * Which instances the platform hears of and may change: its `own`, which came over the bridge, or `all` of the fleet.
   *
   * @defaultValue own
   */
  readonly instances?: 'own' | 'all' | undefined;
  /**
   * Reads a variable that begins with `secret_ref:` as the Go manager does: whatever follows, it is the secret with the
   * key `mcp_instance_<instance id>_<VARIABLE>`, which is asked for in the scope `agentarea`.
   *
   * @defaultValue false
   */
  readonly legacySecretKeys?: boolean | undefined;
  /** The name of the durable subscription and, in a label, of the instances of this bridge. @defaultValue agentarea */
  readonly group?: string | undefined;
  /** What stands before the names of channels, where several installations share a Redis. @defaultValue nothing */
  readonly channelPrefix?: string | undefined;
  /** What the bridge's own keys begin with. @defaultValue mcpinfra:agentarea */
  readonly prefix?: string | undefined;
  /** How long a worker must have been silent about an entry of the stream before another takes it. @defaultValue 30000 */
  readonly claimIdleMs?: number | undefined;
  /** @defaultValue silent */
  readonly logger?: Logger | undefined;
}

/** Settings with nothing left open. */
export interface ResolvedBridge {
  readonly stream: string | null;
  readonly everyInstance: boolean;
  readonly legacySecretScope: string | null;
  readonly group: string;
  readonly channelPrefix: string;
  readonly prefix: string;
  readonly claimIdleMs: number;
  readonly logger: Logger;
  /** Never connects: what the bridge's own connections are copies of. */
  readonly template: Redis;
}

const check = new OptionChecks('agentAreaBridge');
const known = [
  ...['url', 'tls', 'client', 'stream', 'instances', 'legacySecretKeys'],
  ...['group', 'channelPrefix', 'prefix', 'claimIdleMs', 'logger'],
];

const nothing = (): void => undefined;
const silent: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Checks the options. @throws `INVALID_OPTIONS` */
export function resolveBridgeOptions(options: AgentAreaBridgeOptions): ResolvedBridge {
  check.known(options, known);
  const { client, url, tls } = options;
  if ((url === undefined) === (client === undefined)) throw check.wrong('expected one of url and client');
  const place = client === undefined ? { url, tls } : { client, url, tls };
  return {
    stream: options.stream === undefined ? null : check.text('stream', options.stream),
    everyInstance: check.oneOf('instances', options.instances ?? 'own', ['own', 'all']) === 'all',
    legacySecretScope: options.legacySecretKeys === true ? 'agentarea' : null,
    group: check.text('group', options.group ?? 'agentarea'),
    channelPrefix: options.channelPrefix ?? '',
    prefix: check.text('prefix', options.prefix ?? 'mcpinfra:agentarea'),
    claimIdleMs: check.whole('claimIdleMs', options.claimIdleMs ?? 30_000),
    logger: options.logger ?? silent,
    template: resolveOptions(place).template,
  };
}
