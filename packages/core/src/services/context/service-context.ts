/*
 * What every room works with: the plugins behind their guards, settings, who may see what, and how a row is written together with its events.
 * Every other room imports it; it imports none of them.
 * It never starts, stops or decides anything.
 */
import type { ZodType } from 'zod';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import type { AllowScope } from '../../domain/secrets/secret-scopes.js';
import type { Clock } from '../../ports/clock.js';
import type { Logger } from '../../ports/logger.js';
import type { MCPLinks } from '../../ports/mcp-link.js';
import type { Provider } from '../../ports/provider.js';
import type { SecretResolver, SecretStore } from '../../ports/secret-resolver.js';
import type { Store, StoreIdentity } from '../../ports/store.js';
import type { ReconcileNews } from '../../async/keyed-work.js';

/** What every service works with; made once by the composition root. */
export interface ServiceContext {
  readonly store: Store;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly schemas: ReadonlyMap<string, ZodType<JsonSpec>>;
  readonly resolvers: readonly SecretResolver[];
  readonly secretStore: SecretStore | null;
  readonly links: MCPLinks;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: ServiceSettings;
  /** A number in [0, 1), for jitter. */
  readonly random: () => number;
  /** Aborted with `ALREADY_STOPPED` when the infra begins to stop: nothing that is waited for comes any more. */
  readonly stopping: AbortSignal;
  /** Who owns the store; known once it is open. @throws `NOT_STARTED` */
  identity(): StoreIdentity;
  /** Tells the worker of this process, where there is one, about a key. */
  wake(instanceId: string, news: ReconcileNews): void;
  /** Tells the relay that events were committed. */
  committed(): void;
}

/** The host's choices that services need. */
interface ServiceSettings {
  readonly limits: Limits;
  /** The public address of the gateway, under which an instance's `url` is formed; `null` without one. */
  readonly gatewayUrl: string | null;
  /** Whether an instance may have variables its server does not declare. */
  readonly allowUnknownEnvironment: boolean;
  /** How often the secrets of a running instance are compared with those it was given. */
  readonly secretRotationCheckMs: number;
  /** The host's say in whose secrets an instance may name; `null` for what its tenant says. */
  readonly allowScope: AllowScope | null;
  /** The host's key for fingerprints of secrets; `null` for one in the secret store. */
  readonly fingerprintKey: string | null;
  readonly callTimeoutMs: number;
}

/** How many instances may exist. */
interface Limits {
  /** In the whole fleet; `null` for no limit. */
  readonly maxInstances: number | null;
  /** In each tenant; `null` for no limit. */
  readonly maxInstancesPerTenant: number | null;
}

/** What every command and query takes last. */
export interface CommandOptions {
  /** Ends the call. A command that was already durable stays so. */
  readonly signal?: AbortSignal | undefined;
  /** Who asks, for the events. @defaultValue `system` */
  readonly actor?: string | undefined;
  /** A repetition with the same key does nothing again and gives the same answer. */
  readonly idempotencyKey?: string | undefined;
}

/**
 * For commands that can wait for their effect.
 *
 * `wait` means the same everywhere: the command resolves when its wish has come true, and rejects as soon as it is known
 * that it does not: `INSTANCE_STOPPED`, `INSTANCE_DELETED` or, for a stop, `CONFLICT` where somebody wished otherwise
 * meanwhile; `UPDATE_ROLLED_BACK` with its reason where the copy before serves on; the code of the failure where a start
 * failed, also one that is tried again (`waitUntilReady()` waits through those). A later wish of the same kind takes the
 * first one in. Every such error carries `statusDetail` and `lastLogLines` in its details, as does the `ABORTED` of a wait
 * that the signal ended; the wish stays.
 */
export interface WaitableCommandOptions extends CommandOptions {
  /** Resolve when the wish has come true, not already when it is durable. @defaultValue false */
  readonly wait?: boolean | undefined;
}
