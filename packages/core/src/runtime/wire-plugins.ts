import { randomBytes } from 'node:crypto';
import { guardEventBus } from '../guards/guarded-event-bus.js';
import { guardProvider } from '../guards/guarded-provider.js';
import { guardSecretResolver, guardSecretStore } from '../guards/guarded-secrets.js';
import { guardStore } from '../guards/guarded-store.js';
import { safeLogger } from '../guards/safe-logger.js';
import type { EventBus } from '../ports/event-bus.js';
import type { SecretResolver, SecretStore } from '../ports/secret-resolver.js';
import type { ServiceContext } from '../services/context/service-context.js';
import { FleetClock } from './fleet-clock.js';
import type { ResolvedOptions } from './options.js';

/** The host's plugins behind their guards, and what else every service works with. */
export interface WiredPlugins extends Omit<
  ServiceContext,
  'identity' | 'links' | 'stopping' | 'wake' | 'committed' | 'clock'
> {
  readonly clock: FleetClock;
  readonly bus: EventBus;
}

/** Puts a guard before everything the host gave. @param storeFailed - told when a call of the store failed @throws `SPECIFICATION_VERSION_UNSUPPORTED` */
export function wirePlugins(options: ResolvedOptions, storeFailed: () => void): WiredPlugins {
  const clock = new FleetClock(options.clock);
  const logger = safeLogger(options.logger);
  const guard = { clock, logger, deadlines: options.deadlines };
  const providers = new Map(options.providers.map((p) => [p.type, guardProvider(p, guard)] as const));
  const resolvers = options.secrets.map((s) =>
    isWritable(s) ? guardSecretStore(s, guard) : guardSecretResolver(s, guard),
  );
  return {
    clock,
    logger,
    providers,
    resolvers,
    store: guardStore(options.store, { ...guard, failed: storeFailed }),
    bus: guardEventBus(options.events, guard),
    schemas: new Map([...providers].map(([type, provider]) => [type, provider.specSchema])),
    secretStore: resolvers.find(isWritable) ?? null,
    settings: options,
    random: () => randomBytes(4).readUInt32BE() / 2 ** 32,
  };
}

function isWritable(secrets: SecretResolver | SecretStore): secrets is SecretStore {
  return 'put' in secrets;
}
