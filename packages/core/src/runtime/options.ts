import type { JsonSpec } from '../domain/json-spec/json-spec.js';
import type { AllowScope } from '../domain/secrets/secret-scopes.js';
import { memoryEventBus } from '../adapters/memory-event-bus.js';
import { memorySecrets } from '../adapters/memory-secrets.js';
import { memoryStore } from '../adapters/memory-store.js';
import type { PeerSettings } from '../mcp/peer/open-peer-link.js';
import type { Clock } from '../ports/clock.js';
import type { EventBus } from '../ports/event-bus.js';
import type { Logger } from '../ports/logger.js';
import type { Provider } from '../ports/provider.js';
import type { SecretResolver, SecretStore } from '../ports/secret-resolver.js';
import type { Store } from '../ports/store.js';
import { defaultDeadlines, type Deadlines } from '../guards/guard-deadlines.js';
import { check, checkedKey } from './checked-options.js';
import { resolvePeerOptions, type PeerOptions } from './peer-options.js';
import { systemClock } from './system-clock.js';

/** What a process does for the fleet. */
export type Role = 'control' | 'worker';

/** What a host wires. Only `providers` is required. */
export interface MCPInfraOptions<TProviders extends readonly Provider[] = readonly Provider[]> {
  /** What runs instances, one for each `json_spec.type`. */
  readonly providers: TProviders;
  /** Where secrets are found, asked in order; the first that can be written to takes the secrets of instances. @defaultValue in memory */
  readonly secrets?: readonly (SecretResolver | SecretStore)[] | undefined;
  /** @defaultValue in memory */
  readonly store?: Store | undefined;
  /** @defaultValue in this process */
  readonly events?: EventBus | undefined;
  /** @defaultValue silent */
  readonly logger?: Logger | undefined;
  /** `worker` makes true what is wanted; `control` only reads and writes it. @defaultValue both */
  readonly roles?: readonly Role[] | undefined;
  readonly limits?: LimitOptions | undefined;
  /** The public address of the gateway; instances then have a `url`. @defaultValue none */
  readonly gatewayUrl?: string | undefined;
  /** Accept variables that a server's `envSchema` does not declare. @defaultValue false */
  readonly allowUnknownEnvironment?: boolean | undefined;
  /** How many things run at once. */
  readonly concurrency?: ConcurrencyOptions | undefined;
  /** How long a tool call may take. @defaultValue 60000 */
  readonly callTimeoutMs?: number | undefined;
  /** How often every instance is compared with what really runs. @defaultValue 30000 */
  readonly resyncEveryMs?: number | undefined;
  /** How often the secrets of each running instance are compared with those its copy was given. @defaultValue five minutes */
  readonly secretRotationCheckMs?: number | undefined;
  readonly rotation?: RotationOptions | undefined;
  /**
   * Decides which instance may name the secrets of which scope, when a document is given and again when they are read. It
   * answers at once; only `true` allows. The scope of another instance (`instance_<its id>`) is refused without asking.
   *
   * @defaultValue without tenants every scope; in a tenant `tenant_<tenant>`, `instance_<own id>`, and `user` for a
   * caller that is known
   */
  readonly allowScope?: AllowScope | undefined;
  /** How long events are kept for those who read from a cursor. @defaultValue seven days */
  readonly eventRetentionMs?: number | undefined;
  /** What becomes of copies that can outlive the process when it stops. @defaultValue keep */
  readonly onStop?: 'keep' | 'destroy' | undefined;
  /** How long `stop()` lets calls in flight end before it forces them. @defaultValue 5000 */
  readonly drainMs?: number | undefined;
  /** How long core waits for plugins, by what is asked of them. */
  readonly deadlines?: Partial<Deadlines> | undefined;
  /** How processes reach stdio servers and logs of one another. @defaultValue they do not */
  readonly peer?: PeerOptions | undefined;
  /** @defaultValue the machine's */
  readonly clock?: Clock | undefined;
}

/** How rotated secrets are noticed. */
export interface RotationOptions {
  /**
   * At least 32 bytes by which the fingerprints of secrets are made, the same in every process of the fleet. Without a key
   * and a writable secret store, rotated secrets are not noticed. @defaultValue one made once and kept in the secret store
   */
  readonly key?: string | undefined;
}

/** How many instances may exist. */
export interface LimitOptions {
  /** @defaultValue no limit */
  readonly maxInstances?: number | undefined;
  /** @defaultValue no limit */
  readonly maxInstancesPerTenant?: number | undefined;
}

/** How many things run at once. */
export interface ConcurrencyOptions {
  /** Starts in each placement, from an engine's create until the process runs; tenants take turns. @defaultValue 4 */
  readonly starts?: number | undefined;
  /** Pulls in each placement; tenants take turns. @defaultValue 3 */
  readonly pulls?: number | undefined;
  /** Probes at each placement, of which tenants get equal turns. @defaultValue 64 */
  readonly probes?: number | undefined;
  /** Instances of each type acted on at once; what waits does not count. @defaultValue 64 */
  readonly reconciles?: number | undefined;
}

/** Options with nothing left open. */
export interface ResolvedOptions {
  readonly providers: readonly Provider[];
  readonly secrets: readonly (SecretResolver | SecretStore)[];
  readonly store: Store;
  readonly events: EventBus;
  readonly logger: Logger | undefined;
  readonly roles: ReadonlySet<Role>;
  readonly limits: { readonly maxInstances: number | null; readonly maxInstancesPerTenant: number | null };
  readonly gatewayUrl: string | null;
  readonly allowUnknownEnvironment: boolean;
  readonly concurrency: {
    readonly starts: number;
    readonly pulls: number;
    readonly probes: number;
    readonly reconciles: number;
  };
  readonly callTimeoutMs: number;
  readonly resyncEveryMs: number;
  readonly secretRotationCheckMs: number;
  readonly fingerprintKey: string | null;
  readonly allowScope: AllowScope | null;
  readonly eventRetentionMs: number;
  readonly onStop: 'keep' | 'destroy';
  readonly drainMs: number;
  readonly deadlines: Partial<Deadlines>;
  readonly peer: PeerSettings | null;
  readonly clock: Clock;
}

/** The documents that a list of providers runs. */
export type SpecOf<TProviders extends readonly Provider[]> = TProviders[number] extends infer P
  ? P extends Provider<infer TSpec extends JsonSpec>
    ? TSpec
    : never
  : never;

const known = [
  'providers',
  'secrets',
  'store',
  'events',
  'logger',
  'roles',
  'limits',
  'gatewayUrl',
  'allowUnknownEnvironment',
  'concurrency',
  'callTimeoutMs',
  'resyncEveryMs',
  'secretRotationCheckMs',
  'rotation',
  'allowScope',
  'eventRetentionMs',
  'onStop',
  'drainMs',
  'deadlines',
  'peer',
  'clock',
] as const satisfies readonly (keyof MCPInfraOptions)[];

/** Checks a host's options and fills in the rest. @throws `INVALID_OPTIONS` */
export function resolveOptions(options: MCPInfraOptions): ResolvedOptions {
  check.known(options, known);
  const { limits = {}, concurrency = {}, rotation = {}, deadlines = {}, gatewayUrl } = options;
  // What a host gives is not always what its types say.
  const providers: readonly Provider[] = Array.isArray(options.providers) ? options.providers : [];
  providers.forEach((provider, i) =>
    check.withMethods(`providers[${i}]`, provider, ['open', 'ensureRunning']),
  );
  const roles = check
    .texts('roles', options.roles ?? ['control', 'worker'])
    .map((role): Role => check.oneOf('roles', role, ['control', 'worker']));
  if (providers.length === 0) {
    throw check.wrong('expected providers to be a list of at least one, for example [processProvider()]');
  }
  const types = providers.map((provider) => provider.type);
  const twice = types.find((type, i) => types.indexOf(type) !== i);
  if (twice !== undefined)
    throw check.wrong(`providers has two for the type ${JSON.stringify(twice)}; give one for each type`);
  check.known(limits, ['maxInstances', 'maxInstancesPerTenant'], 'limits');
  check.known(rotation, ['key'], 'rotation');
  check.known(concurrency, ['starts', 'pulls', 'probes', 'reconciles'], 'concurrency');
  check.known(deadlines, Object.keys(defaultDeadlines), 'deadlines');
  const times: readonly (readonly [string, unknown])[] = Object.entries(deadlines);
  for (const [name, ms] of times) if (ms !== undefined) check.above0(`deadlines.${name}`, ms);
  if (roles.length === 0) throw check.unexpected('roles', 'a list of "control" and "worker"', roles);
  if (gatewayUrl !== undefined && !URL.canParse(gatewayUrl)) {
    throw check.unexpected('gatewayUrl', 'a URL such as https://mcp.example.com/mcp', gatewayUrl);
  }
  if (options.allowScope !== undefined && typeof options.allowScope !== 'function')
    throw check.unexpected('allowScope', 'a function', options.allowScope);
  const onStop = check.oneOf('onStop', options.onStop ?? 'keep', ['keep', 'destroy']);
  return Object.freeze({
    providers,
    secrets: checkedSecrets(options.secrets ?? [memorySecrets()]),
    store: check.withMethods('store', options.store ?? memoryStore(), ['open', 'transaction']),
    events: check.withMethods('events', options.events ?? memoryEventBus(), ['open', 'publish']),
    logger: options.logger && check.withMethods('logger', options.logger, ['debug', 'info', 'warn', 'error']),
    roles: new Set(roles),
    limits: {
      maxInstances:
        limits.maxInstances === undefined ? null : check.whole('limits.maxInstances', limits.maxInstances),
      maxInstancesPerTenant:
        limits.maxInstancesPerTenant === undefined
          ? null
          : check.whole('limits.maxInstancesPerTenant', limits.maxInstancesPerTenant),
    },
    gatewayUrl: gatewayUrl ?? null,
    allowUnknownEnvironment: check.flag('allowUnknownEnvironment', options.allowUnknownEnvironment ?? false),
    concurrency: {
      starts: check.whole('concurrency.starts', concurrency.starts ?? 4),
      pulls: check.whole('concurrency.pulls', concurrency.pulls ?? 3),
      probes: check.whole('concurrency.probes', concurrency.probes ?? 64),
      reconciles: check.whole('concurrency.reconciles', concurrency.reconciles ?? 64),
    },
    callTimeoutMs: check.whole('callTimeoutMs', options.callTimeoutMs ?? 60_000),
    resyncEveryMs: check.whole('resyncEveryMs', options.resyncEveryMs ?? 30_000),
    secretRotationCheckMs: check.whole('secretRotationCheckMs', options.secretRotationCheckMs ?? 300_000),
    fingerprintKey: rotation.key === undefined ? null : checkedKey('rotation.key', rotation.key),
    allowScope: options.allowScope ?? null,
    eventRetentionMs: check.whole('eventRetentionMs', options.eventRetentionMs ?? 7 * 24 * 3_600_000),
    onStop,
    drainMs: check.whole('drainMs', options.drainMs ?? 5_000, { least: 0 }),
    deadlines,
    peer: resolvePeerOptions(options.peer),
    clock: check.withMethods('clock', options.clock ?? systemClock, ['now', 'monotonicMs', 'schedule']),
  });
}

function checkedSecrets(secrets: ResolvedOptions['secrets']): ResolvedOptions['secrets'] {
  const given: unknown = secrets;
  if (!Array.isArray(given)) throw check.unexpected('secrets', 'a list of resolvers', given);
  secrets.forEach((one, i) => check.withMethods(`secrets[${i}]`, one, ['resolve']));
  return secrets;
}
