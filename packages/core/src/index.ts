/**
 * Runs, configures, secures, watches and reaches fleets of MCP servers from inside a host.
 *
 * @packageDocumentation
 */
export { consoleLogger, type ConsoleLoggerOptions } from './adapters/console-logger.js';
export type { LineStream } from './adapters/console-logger/terminal-lines.js';
export { memoryEventBus } from './adapters/memory-event-bus.js';
export { memorySecrets } from './adapters/memory-secrets.js';
export { memoryStore, type MemoryStoreOptions } from './adapters/memory-store.js';
export { processEnvSecrets, type ProcessEnvSecretsOptions } from './adapters/process-env-secrets.js';
export { defaults } from './domain/defaults.js';
export {
  errorCodes,
  type ErrorCategory,
  type ErrorCode,
  type ErrorCodeEntry,
} from './domain/errors/error-codes.js';
export type { Issue, IssueCode } from './domain/errors/issue.js';
export {
  ConfigError,
  InternalError,
  MCPInfraError,
  TransientError,
  type MCPInfraErrorOptions,
} from './domain/errors/mcpinfra-error.js';
export type {
  EnvTemplateVariable,
  EnvVariable,
  EnvVariableFormat,
  EnvVariableType,
} from './domain/env-schema/env-variable.js';
export type {
  EventMap,
  EventType,
  InstanceSubject,
  InstanceWish,
  ServerDefinition,
  ServerSubject,
  ServerWish,
} from './domain/events/event-map.js';
export type { Event } from './domain/events/event.js';
export type { ToolDescription } from './domain/instance/instance-record.js';
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
export type { JsonSpec } from './domain/json-spec/json-spec.js';
export { Secret } from './domain/secrets/secret.js';
export type { SecretReferenceText } from './domain/secrets/secret-reference.js';
export type { MCPServer, MCPServerStatus } from './domain/server/mcp-server.js';
export type { Unsubscribe } from './ports/common.js';
export type { EventBus } from './ports/event-bus.js';
export type { Logger } from './ports/logger.js';
export type { CallProgress, ToolCallResult } from './ports/mcp-link.js';
export type { LogLine, LogQuery, Prerequisite, Provider } from './ports/provider.js';
export type { AllowScope, ScopeRequest } from './domain/secrets/secret-scopes.js';
export type { SecretResolver, SecretStore } from './ports/secret-resolver.js';
export type { Page, PageQuery } from './domain/list-page.js';
export type { DeadLetter, Store, StoreIdentity } from './ports/store.js';
export type { CheckedEnvironment, Mistake } from './domain/json-spec/checked-environment.js';
export type { Deadlines } from './guards/guard-deadlines.js';
export { createMCPInfra } from './runtime/create-mcp-infra.js';
export type { FleetHealth } from './runtime/fleet-health.js';
export { MCPInfra, type ScopeOptions, type StopOptions } from './runtime/mcp-infra.js';
export type { StopReport, UnclosedPart } from './runtime/stop-time.js';
export type {
  ConcurrencyOptions,
  LimitOptions,
  MCPInfraOptions,
  Role,
  RotationOptions,
  SpecOf,
} from './runtime/options.js';
export type { PeerListenOptions, PeerOptions } from './runtime/peer-options.js';
export type { MCPInfraScope } from './runtime/scope.js';
export type {
  ApplyOptions,
  ApplyResult,
  FleetDocument,
  FleetInstance,
} from './services/documents/desired-state.js';
export {
  EnvironmentService,
  type EnvironmentEntry,
  type SetEnvironmentOptions,
} from './services/instances/environment-service.js';
export type { EventGroup, EventGroups, LogPlace } from './services/events/event-groups.js';
export type { EventListener } from './services/events/event-hub.js';
export {
  EventStream,
  type DurableSubscription,
  type EventSubscriptionOptions,
} from './services/events/event-stream.js';
export type { EventReadOptions } from './services/events/read-events.js';
export type { HandlerContext } from './services/events/handler-calls.js';
export type { PartCondition } from './services/events/fleet-condition.js';
export type { InstanceUpdateOptions } from './services/instances/instance-commands.js';
export type { MCPServerInstanceInput, MCPServerInstancePatch } from './services/instances/instance-input.js';
export type {
  CheckedPatch,
  CheckedSpec,
  KnownFields,
  MergePatch,
  SnakeCase,
  SpecInput,
  SpecPatch,
  UnknownField,
} from './services/instances/checked-spec.js';
export { InstanceManager, type InstanceFilter } from './services/instances/instance-manager.js';
export type { InstancePlan, ValidationResult } from './services/instances/instance-plan.js';
export type {
  CallToolOptions,
  ConnectClientOptions,
  ConnectedClient,
} from './services/sessions/instance-sessions.js';
export type { CollectOptions, CollectResult } from './services/reconcile/orphan-collector.js';
export type { MCPServerInput } from './services/servers/server-input.js';
export {
  MCPServerRegistry,
  type ServerDeleteOptions,
  type ServerFilter,
  type ServerUpdateOptions,
} from './services/servers/server-registry.js';
export type { ServerPlan, ServerPlanInstance } from './services/servers/server-plan.js';
export type {
  ClientConfig,
  ClientConfigEntry,
  ClientConfigOptions,
} from './services/instances/client-config.js';
export type { CommandOptions, WaitableCommandOptions } from './services/context/service-context.js';
