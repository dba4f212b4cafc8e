import { describe, expect, it } from 'vitest';
import * as core from './index.js';
import * as essentials from './plugin-essentials.js';
import * as plugin from './plugin.js';

// A name that goes missing here breaks hosts: change the pin only together with a changeset that says so.
describe('the public surface', () => {
  it('of the package is what it was', () => {
    expect(Object.keys(core).sort()).toMatchInlineSnapshot(`
      [
        "ConfigError",
        "EnvironmentService",
        "EventStream",
        "InstanceManager",
        "InternalError",
        "MCPInfra",
        "MCPInfraError",
        "MCPServerRegistry",
        "Secret",
        "TransientError",
        "consoleLogger",
        "createMCPInfra",
        "defaults",
        "errorCodes",
        "instanceStatuses",
        "memoryEventBus",
        "memorySecrets",
        "memoryStore",
        "processEnvSecrets",
      ]
    `);
  });

  it('for plugin authors is what it was', () => {
    expect(Object.keys(plugin).sort()).toMatchInlineSnapshot(`
      [
        "BoundedCalls",
        "Changes",
        "ConfigError",
        "InternalError",
        "KeyedTurns",
        "Listeners",
        "MCPInfraError",
        "Once",
        "OptionChecks",
        "Recurring",
        "Secret",
        "SharedCalls",
        "SingleFlight",
        "TokenBucket",
        "TransientError",
        "backoff",
        "checkListLimit",
        "containerSpecSchema",
        "createScrubber",
        "defaults",
        "didYouMean",
        "edge",
        "errorCodes",
        "eventCodec",
        "eventTypes",
        "finishingClock",
        "forbiddenResources",
        "forbidding",
        "formatEphemeralFleet",
        "formatSecretReference",
        "ignoreError",
        "initialRuntime",
        "initialStatusDetail",
        "instanceCodec",
        "instanceRecordCodec",
        "instanceStatuses",
        "invalidSpec",
        "isEnvironmentName",
        "isObject",
        "isReservedEnvironmentName",
        "isSurelyDead",
        "joinSignals",
        "kindOf",
        "lastLogLines",
        "listPage",
        "lockFile",
        "looksLikeSecret",
        "mcpError",
        "meantOr",
        "messageOf",
        "normaliseError",
        "onAbort",
        "orAborted",
        "parseByteSize",
        "parseEnvSchema",
        "parseEphemeralFleet",
        "parseJsonSpec",
        "parseListCursor",
        "parseSecretReference",
        "plainDocument",
        "pointer",
        "processIdentity",
        "renderReferences",
        "resolveHealthCheck",
        "resolveHealthUrl",
        "resolveLifecycle",
        "resolveResourceLimits",
        "resolveTransport",
        "resourcesOf",
        "retry",
        "retryDelayMs",
        "revealText",
        "rowsOfPages",
        "scanReferences",
        "secretId",
        "serverCodec",
        "sizeInBytes",
        "sleep",
        "specFields",
        "systemClock",
        "throwIfAborted",
        "underSignals",
        "withDeadline",
      ]
    `);
  });

  it('for plugin authors holds everything that core gives its own adapters', () => {
    expect({ ...plugin, ...essentials }).toEqual({ ...plugin });
  });
});
