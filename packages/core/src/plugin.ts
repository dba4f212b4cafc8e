/**
 * What authors of providers, stores, buses, secret resolvers and loggers build on.
 *
 * @packageDocumentation
 */
export { defaults } from './domain/defaults.js';
export { didYouMean, meantOr } from './domain/did-you-mean.js';
export {
  errorCodes,
  type ErrorCategory,
  type ErrorCode,
  type ErrorCodeEntry,
} from './domain/errors/error-codes.js';
export {
  ConfigError,
  InternalError,
  MCPInfraError,
  mcpError,
  TransientError,
  type MCPInfraErrorOptions,
} from './domain/errors/mcpinfra-error.js';
export { messageOf, normaliseError } from './domain/errors/normalise-error.js';
export { invalidSpec, pointer, type Issue, type IssueCode } from './domain/errors/issue.js';
export type {
  EventMap,
  EventType,
  InstanceSubject,
  InstanceWish,
  ServerDefinition,
  ServerSubject,
  ServerWish,
} from './domain/events/event-map.js';
export { eventTypes } from './domain/events/event-map.js';
export type { Event, EventDraft } from './domain/events/event.js';
export type {
  EnvTemplateVariable,
  EnvVariable,
  EnvVariableFormat,
  EnvVariableType,
} from './domain/env-schema/env-variable.js';
export { parseEnvSchema, type EnvSchemaResult } from './domain/env-schema/parse-env-schema.js';
export {
  type EphemeralOwner,
  formatEphemeralFleet,
  parseEphemeralFleet,
} from './domain/fleet/ephemeral-fleet.js';
export type { ProcessIdentity } from './domain/fleet/process-identity.js';
export type {
  HealthCheckSpec,
  JsonSpec,
  LifecycleSpec,
  ProtocolEraChoice,
  SessionSpec,
  TransportName,
} from './domain/json-spec/json-spec.js';
export * as specFields from './domain/json-spec/fields/index.js';
export { parseByteSize } from './domain/json-spec/byte-size.js';
export type { CheckedEnvironment, Mistake } from './domain/json-spec/checked-environment.js';
export {
  containerSpecSchema,
  type ContainerResources,
  type ContainerSpec,
  type IsolationSpec,
  type IsolationTier,
  type NetworkSpec,
  type RegistryCredentials,
  type TmpfsSpec,
  type VolumeSpec,
} from './domain/json-spec/container-spec.js';
export { isEnvironmentName, isReservedEnvironmentName } from './domain/json-spec/environment-issues.js';
export { forbidding, type Forbidden } from './domain/json-spec/forbidding.js';
export {
  resolveHealthCheck,
  resolveHealthUrl,
  type ResolvedHealthCheck,
} from './domain/json-spec/health-check.js';
export { resolveLifecycle, type ResolvedLifecycle } from './domain/json-spec/lifecycle.js';
export { parseJsonSpec, type JsonSpecResult } from './domain/json-spec/parse-json-spec.js';
export { plainDocument, type PlainDocument } from './domain/json-spec/plain-document.js';
export { kindOf } from './domain/json-spec/quote-value.js';
export {
  forbiddenResources,
  resolveResourceLimits,
  resourcesOf,
  sizeInBytes,
  type AppliedResources,
  type ResourceLimits,
  type ResourceOptions,
} from './domain/json-spec/resource-limits.js';
export { resolveTransport } from './domain/json-spec/resolve-transport.js';
export { initialRuntime, initialStatusDetail } from './domain/instance/initial-state.js';
export type {
  Copy,
  HandshakeRecord,
  InstanceRecord,
  InstanceRuntime,
  PinnedServer,
  ToolDescription,
} from './domain/instance/instance-record.js';
export type {
  DesiredState,
  Endpoint,
  ExitRecord,
  FailedProbe,
  HealthRecord,
  HealthState,
  InstanceStatus,
  MCPServerInstance,
  StatusDetail,
  UpdateFailure,
} from './domain/instance/mcp-server-instance.js';
export { instanceStatuses } from './domain/instance/mcp-server-instance.js';
export { isObject } from './domain/is-object.js';
export {
  checkListLimit,
  listPage,
  parseListCursor,
  rowsOfPages,
  type ListPlace,
  type Page,
} from './domain/list-page.js';
export { type NumberBounds, OptionChecks } from './domain/options/option-checks.js';
export { lastLogLines } from './domain/instance/last-log-lines.js';
export type { MCPServer, MCPServerStatus, Timestamp } from './domain/server/mcp-server.js';
export {
  isPlaceholder,
  isSecretArgument,
  isSecretName,
  looksLikeSecret,
} from './domain/secrets/looks-like-secret.js';
export { hasUserInfo, replaceUrlSecrets, type UrlSecret } from './domain/secrets/url-secrets.js';
export { createScrubber } from './domain/secrets/scrub.js';
export { revealText, Secret } from './domain/secrets/secret.js';
export {
  formatSecretReference,
  parseSecretReference,
  renderReferences,
  scanReferences,
  secretId,
  type ReferenceScan,
  type SecretReference,
  type SecretReferenceText,
} from './domain/secrets/secret-reference.js';
export { eventCodec } from './domain/wire/event-codec.js';
export { instanceCodec } from './domain/wire/instance-codec.js';
export { instanceRecordCodec } from './domain/wire/instance-record-codec.js';
export { serverCodec } from './domain/wire/server-codec.js';
export type { WireCodec } from './domain/wire/wire-codec.js';
export type { Clock } from './ports/clock.js';
export type { CallOptions, PartReport, Unsubscribe } from './ports/common.js';
export type { EventBus, EventBusContext, EventHandler, EventSubscription } from './ports/event-bus.js';
export type { LogFields, Logger } from './ports/logger.js';
export type {
  CopyRef,
  Dialed,
  DialTarget,
  LogLine,
  LogQuery,
  Observation,
  OwnedCopy,
  Prerequisite,
  Progress,
  Provider,
  ProviderContext,
  RunRequest,
  SecretBundle,
  StdioChannel,
  StopRequest,
} from './ports/provider.js';
export type {
  SecretContext,
  SecretResolver,
  SecretStore,
  SecretWriteOptions,
} from './ports/secret-resolver.js';
export type {
  AppendOptions,
  CounterChange,
  CounterDrift,
  CounterTable,
  DeadLetter,
  EventLog,
  EventQuery,
  GroupCursor,
  InstanceQuery,
  InstanceTable,
  Lease,
  LeaseHolder,
  LeaseTable,
  ServerQuery,
  ServerTable,
  Store,
  StoreIdentity,
  StoreNews,
  StoreWriter,
  WriteEffects,
} from './ports/store.js';
export { BoundedCalls, type BoundedCallsOptions } from './async/bounded-calls.js';
export { Changes } from './async/changes.js';
export { Listeners } from './async/listeners.js';
export { type FileLock, lockFile } from './runtime/file-lock.js';
export { isSurelyDead, processIdentity } from './runtime/process-identity.js';
export { finishingClock, systemClock } from './runtime/system-clock.js';
export {
  joinSignals,
  onAbort,
  orAborted,
  throwIfAborted,
  underSignals,
  type JoinedSignal,
} from './async/abort.js';
export { withDeadline, type DeadlineOptions } from './async/deadline.js';
export { edge, ignoreError } from './async/edge.js';
export { TokenBucket, type TokenBucketOptions } from './async/token-bucket.js';
export { Once } from './async/once.js';
export { Recurring, type RecurringOptions } from './async/recurring.js';
export { backoff, retry, retryDelayMs, type RetryOptions } from './async/retry.js';
export { SharedCalls } from './async/shared-call.js';
export { SingleFlight } from './async/single-flight.js';
export { sleep } from './async/sleep.js';
export type { Timers } from './async/timers.js';
export { KeyedTurns } from './async/keyed-turns.js';
