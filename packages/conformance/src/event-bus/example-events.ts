import { randomUUID } from 'node:crypto';
import type {
  Event,
  EventMap,
  EventType,
  InstanceSubject,
  ServerDefinition,
  ServerSubject,
} from '@mcpinfra/core/plugin';

const instanceId = '0b0e6a52-6f0c-4f0e-9a51-3f0c6b8f2d11';
const serverId = '5a3c1f0e-2b4d-4c6a-8e9f-7d1b2c3a4e5f';

const instance: InstanceSubject = {
  instanceId,
  name: 'fs-1',
  slug: 'fs-1-0b0e6a52',
  labels: { team: 'Zoë & 東京 🚀', ownerName: 'camel', owner_name: 'snake', 'io.example/key': '' },
};

const definition: ServerDefinition = {
  id: serverId,
  tenant: '',
  name: 'filesystem',
  description: 'Reads files.',
  dockerImageUrl: null,
  version: '1.0.0',
  tags: ['a'],
  status: 'active',
  isPublic: true,
  envSchema: [{ name: 'API_KEY', type: 'string', required: true, secret: true }],
  jsonSpec: { health_check: { type: 'mcp' }, camelCase: { inner_key: 1 } },
  labels: {},
  createdAt: '2026-01-02T03:04:05.678Z',
  updatedAt: '2026-01-02T03:04:05.678Z',
};

const server: ServerSubject = {
  serverId,
  name: 'filesystem',
  version: '1.0.0-β',
  status: 'active',
  labels: { costCenter: '42' },
};

const wish = {
  ...instance,
  serverSpecId: serverId,
  desiredState: 'running',
  generation: 3,
  jsonSpec: {
    type: 'docker',
    image: 'mcp/filesystem:latest',
    environment: { API_KEY: 'secret_ref:instance_123:API_KEY', baseUrl: 'http://ü.example', log_level: '' },
    health_check: { type: 'http', path: '/health', start_period: 5 },
    lifecycle: { startup_timeout: 60 },
    own: { deeply: { nested: [1, 2.5, true, null, { camelCase: 'kept', snake_case: 'kept' }] } },
  },
} as const;

const data: EventMap = {
  MCPServerCreated: server,
  MCPServerUpdated: { ...server, definition },
  MCPServerDeleted: { ...server, labels: {} },
  MCPServerInstanceCreated: wish,
  MCPServerInstanceUpdated: { ...wish, serverSpecId: null },
  MCPServerInstanceStarted: wish,
  MCPServerInstanceStopped: { ...wish, desiredState: 'stopped' },
  MCPServerInstanceDeleted: wish,
  MCPServerInstanceStatusChanged: {
    ...instance,
    from: 'starting',
    to: 'failed',
    reason: 'EXITED_AT_START',
    message: 'It said "no"\n\tand ended: \\ \u2028 ✗',
    endpoint: { transport: 'streamable-http', url: 'http://127.0.0.1:8080/mcp?a=b&c=%20' },
    health: 'unknown',
    restartCount: 2,
    nextRetryAt: '2026-01-02T03:05:05.678Z',
    observedGeneration: 3,
    lastedMs: 1234.5,
    toolCount: null,
  },
  MCPServerInstancePullProgress: {
    ...instance,
    image: 'mcp/filesystem:latest',
    completedBytes: 5_000_000_000,
    totalBytes: null,
  },
  MCPServerInstanceSecretsRotated: { ...instance, revision: 4 },
  MCPServerInstanceToolsChanged: {
    ...instance,
    added: ['read_file', 'lire_été'],
    removed: [],
    changed: ['x'],
  },
  MCPServerInstanceEgressDenied: { ...instance, destination: 'api.example:443', grant: 'api.example' },
  MCPServerInstanceRemoved: instance,
  GatewayCallAudited: {
    ...instance,
    principal: 'user@example',
    method: 'tools/call',
    tool: null,
    outcome: 'denied',
    durationMs: 0.25,
  },
  FleetDegraded: { part: 'store', reason: 'STORE_FAILED', message: '' },
  FleetRecovered: { part: 'store' },
};

let positions = 0;

/** Makes an event; each call gives another id and position. */
export function exampleEvent<T extends EventType = 'FleetRecovered'>(
  type: T | 'FleetRecovered' = 'FleetRecovered',
  change: { readonly data?: EventMap[T]; readonly position?: number } = {},
): Event {
  positions += 1;
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: 'mcpinfra/conformance',
    type,
    subject: type.startsWith('Fleet') ? 'fleet' : instanceId,
    time: '2026-01-02T03:04:05.678Z',
    datacontenttype: 'application/json',
    tenant: 'tenant-ä',
    actor: 'user:Zoë',
    correlationid: 'request 7',
    position: positions,
    resourceVersion: 12,
    data: data[type],
    ...change,
    // What ties the type to its data is lost where the type is a variable.
  } as Event;
}

/** Makes many events of one type. */
export function exampleEvents(count: number, type: EventType = 'FleetRecovered'): readonly Event[] {
  return Array.from({ length: count }, () => exampleEvent(type));
}

/** Makes one event of each type. */
export function eventOfEachType(): readonly Event[] {
  // The keys of an object are known to be its own only where it is written.
  return (Object.keys(data) as EventType[]).map((type) => exampleEvent(type));
}
