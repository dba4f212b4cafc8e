import type { ConnectionOptions } from 'node:tls';
import { OptionChecks } from '@mcpinfra/core/plugin';
import { Redis } from 'ioredis';

/** Options of {@link redisEvents}. */
export type RedisEventsOptions = RedisEventsSettings & RedisEventsPlace;

/** Where Redis is: a URL, or an ioredis client that reaches it. */
export type RedisEventsPlace =
  | {
      /** `redis://[user[:password]@]host[:port][/database]`, or `rediss://` for TLS. */
      readonly url: string;
      /**
       * How `rediss://` is spoken, such as `{ ca }` for a private authority.
       *
       * @defaultValue what Node trusts
       */
      readonly tls?: ConnectionOptions | undefined;
      readonly client?: undefined;
    }
  | {
      /**
       * Whose settings, sentinels included, the bus makes connections of its own with. The client itself is neither used
       * nor closed.
       */
      readonly client: Redis;
      readonly url?: undefined;
      readonly tls?: undefined;
    };

/** Options of {@link redisEvents} that have a default. */
export interface RedisEventsSettings {
  /** What the names of all keys begin with. @defaultValue 'mcpinfra' */
  readonly prefix?: string | undefined;
  /** About how many events the stream keeps; more while a group has not handled them. @defaultValue 100 000 */
  readonly maxEvents?: number | undefined;
  /** How long an event that every group has handled is kept. @defaultValue 86 400 000 (a day) */
  readonly maxAgeMs?: number | undefined;
  /** How long an event is kept that a group has not handled, so that one nobody reads any more does not fill Redis. @defaultValue 604 800 000 (a week) */
  readonly maxUnhandledAgeMs?: number | undefined;
  /** How many events the handlers of a group, or all those without one, have at once in this process. @defaultValue 256 */
  readonly concurrency?: number | undefined;
  /** How long the process that has an event of a group must have been silent before another takes it over. @defaultValue 30 000 */
  readonly claimIdleMs?: number | undefined;
  /** How often a group is handed an event at most; then it is a dead letter. @defaultValue 16 */
  readonly maxDeliveries?: number | undefined;
  /** How long after its first failure a group is handed an event again; doubled each time, up to a minute. @defaultValue 250 */
  readonly retryDelayMs?: number | undefined;
  /** How long Redis may take for an answer, or to accept a connection. @defaultValue 5 000 */
  readonly commandTimeoutMs?: number | undefined;
  /** How long `close` waits for handlers and Redis. @defaultValue 5 000 */
  readonly closeTimeoutMs?: number | undefined;
}

/** The settings with nothing left open. */
export type ResolvedSettings = {
  readonly [K in keyof RedisEventsSettings]-?: NonNullable<RedisEventsSettings[K]>;
};

const defaults: ResolvedSettings = {
  prefix: 'mcpinfra',
  maxEvents: 100_000,
  maxAgeMs: 86_400_000,
  maxUnhandledAgeMs: 604_800_000,
  concurrency: 256,
  claimIdleMs: 30_000,
  maxDeliveries: 16,
  retryDelayMs: 250,
  commandTimeoutMs: 5_000,
  closeTimeoutMs: 5_000,
};

const check = new OptionChecks('redisEvents');
const known = ['url', 'tls', 'client', ...Object.keys(defaults)];

/** What the options amount to. */
export interface ResolvedOptions {
  readonly settings: ResolvedSettings;
  /** Never connects: what the bus's own connections are copies of. */
  readonly template: Redis;
}

/** Checks the options. @throws `INVALID_OPTIONS` */
export function resolveOptions(options: RedisEventsOptions): ResolvedOptions {
  check.known(options, known);
  return { settings: resolveSettings(options), template: resolvePlace(options) };
}

function resolveSettings(options: RedisEventsSettings): ResolvedSettings {
  const given = Object.entries(options).filter(([key, value]) => key in defaults && value !== undefined);
  for (const [key, value] of given as readonly [string, unknown][]) {
    if (key === 'prefix') check.text(key, value);
    else check.whole(key, value);
  }
  return { ...defaults, ...(Object.fromEntries(given) as Partial<ResolvedSettings>) };
}

// Hosts in plain JavaScript have no compiler to tell them.
function resolvePlace({ url, tls, client }: { url?: unknown; tls?: unknown; client?: unknown }): Redis {
  if ((url === undefined) === (client === undefined)) throw check.wrong('expected one of url and client');
  if (client !== undefined) {
    if (tls !== undefined) throw check.wrong('tls is for a url; a client has its own');
    if (!isClient(client)) throw check.wrong('expected client to be a Redis of ioredis, not a Cluster');
    return client;
  }
  // What came is not repeated: it may hold a password.
  const parsed = typeof url === 'string' ? parse(url) : undefined;
  if (parsed === undefined || !/^\/?\d*$/u.test(parsed.pathname) || parsed.search !== '')
    throw check.wrong(
      'expected url to be like redis://user:password@host:6379/0 or rediss://…, without a query',
    );
  if (tls === undefined) return new Redis(parsed.href, { lazyConnect: true });
  if (parsed.protocol !== 'rediss:') throw check.wrong('tls is for a url that begins with rediss://');
  if (typeof tls !== 'object' || tls === null) throw check.unexpected('tls', 'options of tls.connect', tls);
  return new Redis(parsed.href, { lazyConnect: true, tls });
}

function parse(url: string): URL | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  return parsed !== undefined && /^rediss?:$/u.test(parsed.protocol) && parsed.hostname !== ''
    ? parsed
    : undefined;
}

function isClient(value: unknown): value is Redis {
  return (
    typeof value === 'object' &&
    value !== null &&
    'duplicate' in value &&
    'options' in value &&
    !('isCluster' in value && value.isCluster === true)
  );
}
