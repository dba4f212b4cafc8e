import type {
  EnvVariable,
  Event,
  EventMap,
  EventType,
  InstanceRecord,
  InstanceRuntime,
  JsonSpec,
  MCPServer,
  StatusDetail,
} from '@mcpinfra/core/plugin';
import fc from 'fast-check';

const timestamp = fc
  .date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
  .map((date) => date.toISOString());
const id = fc.uuid();
const text = fc.string({ maxLength: 12, unit: 'binary' });
const count = fc.nat();
// Names such as fooBar and foo_bar must both come through unchanged.
const key = fc
  .oneof(text, fc.constantFrom('fooBar', 'foo_bar', 'resourceVersion', 'A'))
  .filter((k) => k !== '__proto__');
const labels = fc.dictionary(key, text, { noNullPrototype: true });
const document = fc.dictionary(key, fc.jsonValue({ maxDepth: 2 }), { noNullPrototype: true, maxKeys: 4 });
const jsonSpec: fc.Arbitrary<JsonSpec> = fc.tuple(document, text).map(([rest, type]) => ({ ...rest, type }));
const scalar = fc.oneof(text, fc.integer(), fc.boolean());

const envVariable: fc.Arbitrary<EnvVariable> = fc.record(
  {
    name: text,
    type: fc.constantFrom('string', 'integer', 'number', 'boolean'),
    required: fc.boolean(),
    secret: fc.boolean(),
    default: scalar,
    variables: fc.dictionary(
      key,
      fc.record({ default: scalar, secret: fc.boolean() }, { requiredKeys: [], noNullPrototype: true }),
      { maxKeys: 2, noNullPrototype: true },
    ),
    choices: fc.array(scalar, { maxLength: 2 }),
    format: fc.constantFrom('uri', 'date-time'),
    value: scalar,
  },
  { requiredKeys: ['name'] },
);
const envSchema = fc.array(envVariable, { maxLength: 3 });

/** Any server. */
export const arbitraryServer: fc.Arbitrary<MCPServer> = fc.record({
  id,
  tenant: text,
  name: text,
  description: text,
  dockerImageUrl: fc.option(text),
  version: text,
  tags: fc.array(text, { maxLength: 3 }),
  status: fc.constantFrom('draft', 'active', 'deprecated', 'disabled'),
  isPublic: fc.boolean(),
  envSchema,
  jsonSpec: document,
  labels,
  createdAt: timestamp,
  updatedAt: timestamp,
  resourceVersion: count,
});

const endpoint = fc.record(
  { transport: fc.constantFrom('streamable-http' as const, 'sse' as const, 'stdio' as const), url: text },
  { requiredKeys: ['transport'] },
);
const status = fc.constantFrom('pending', 'running', 'unhealthy', 'failed', 'deleting');
const reason = fc.constantFrom('', 'EXITED', 'OUT_OF_MEMORY');
const health = fc.constantFrom('unknown', 'healthy', 'unhealthy', 'unauthorized');

const statusDetail: fc.Arbitrary<StatusDetail> = fc.record({
  reason,
  message: text,
  since: timestamp,
  restartCount: count,
  nextRetryAt: fc.option(timestamp),
  lastExit: fc.option(
    fc.record(
      {
        at: timestamp,
        exitCode: fc.option(fc.integer()),
        signal: fc.option(text),
        oomKilled: fc.boolean(),
        lastLogLines: fc.array(text, { maxLength: 2 }),
        code: fc.constant('PIDS_LIMIT'),
      },
      { requiredKeys: ['at', 'exitCode', 'signal', 'oomKilled', 'lastLogLines'] },
    ),
  ),
  endpoint: fc.option(endpoint),
  health: fc.record(
    {
      state: health,
      message: text,
      since: timestamp,
      lastProbe: fc.record({ at: timestamp, code: fc.constant('REQUEST_TIMEOUT'), message: text }),
    },
    { requiredKeys: ['state', 'message', 'since'] },
  ),
});

const copy = fc.record({ revision: count, runHash: text, spec: jsonSpec });
const tool = fc
  .tuple(document, text, document)
  .map(([extra, name, inputSchema]) => ({ ...extra, name, inputSchema, description: name }));

const runtime: fc.Arbitrary<InstanceRuntime> = fc.record({
  placement: fc.option(text),
  active: fc.option(copy),
  candidate: fc.option(copy),
  lastRevision: count,
  refusedGeneration: fc.option(count),
  renew: fc.boolean(),
  secretsVersion: count,
  secretFingerprint: fc.option(text),
  deleteRequestedAt: fc.option(timestamp),
  failures: count,
  steadySince: fc.option(timestamp),
  wantedUntil: fc.option(timestamp),
  pinned: fc.option(
    fc.record({
      name: text,
      version: text,
      resourceVersion: count,
      dockerImageUrl: fc.option(text),
      jsonSpec: document,
      envSchema,
    }),
  ),
  handshake: fc.option(
    fc.record({
      at: timestamp,
      era: fc.constantFrom('legacy', 'modern'),
      protocolVersion: text,
      serverName: text,
      serverVersion: text,
      tools: fc.array(tool, { maxLength: 2 }),
    }),
  ),
  ownedSecretScopes: fc.array(text, { maxLength: 2 }),
  appliedKeys: fc.array(text, { maxLength: 2 }),
  correlationId: text,
  leaseEpoch: count,
});

/** Any row of an instance. */
export const arbitraryInstanceRecord: fc.Arbitrary<InstanceRecord> = fc.record({
  id,
  tenant: text,
  name: text,
  description: text,
  serverSpecId: fc.option(id),
  serverResourceVersion: fc.option(count),
  jsonSpec,
  slug: text,
  desiredState: fc.constantFrom('running', 'stopped'),
  status,
  statusDetail,
  generation: count,
  observedGeneration: count,
  url: fc.option(text),
  labels,
  createdAt: timestamp,
  updatedAt: timestamp,
  resourceVersion: count,
  runtime,
});

const server = { serverId: id, name: text, version: text, status: text, labels };
const instance = { instanceId: id, name: text, slug: text, labels };
const wish = fc.record({
  ...instance,
  serverSpecId: fc.option(id),
  desiredState: fc.constantFrom('running' as const, 'stopped' as const),
  generation: count,
  jsonSpec,
});
const names = fc.array(text, { maxLength: 2 });

const data: { readonly [T in EventType]: fc.Arbitrary<EventMap[T]> } = {
  MCPServerCreated: fc.record(server),
  MCPServerUpdated: fc.record(server),
  MCPServerDeleted: fc.record(server),
  MCPServerInstanceCreated: wish,
  MCPServerInstanceUpdated: wish,
  MCPServerInstanceStarted: wish,
  MCPServerInstanceStopped: wish,
  MCPServerInstanceDeleted: wish,
  MCPServerInstanceStatusChanged: fc.record({
    ...instance,
    from: status,
    to: status,
    reason,
    message: text,
    endpoint: fc.option(endpoint),
    health,
    restartCount: count,
    nextRetryAt: fc.option(timestamp),
    observedGeneration: count,
    lastedMs: count,
    toolCount: fc.option(count),
  }),
  MCPServerInstancePullProgress: fc.record({
    ...instance,
    image: text,
    completedBytes: count,
    totalBytes: fc.option(count),
  }),
  MCPServerInstanceSecretsRotated: fc.record({ ...instance, revision: count }),
  MCPServerInstanceToolsChanged: fc.record({ ...instance, added: names, removed: names, changed: names }),
  MCPServerInstanceEgressDenied: fc.record({ ...instance, destination: text, grant: text }),
  MCPServerInstanceRemoved: fc.record(instance),
  GatewayCallAudited: fc.record({
    ...instance,
    principal: text,
    method: text,
    tool: fc.option(text),
    outcome: fc.constantFrom('ok', 'error', 'denied'),
    durationMs: count,
  }),
  FleetDegraded: fc.record({ part: text, reason: fc.constant('STORE_FAILED'), message: text }),
  FleetRecovered: fc.record({ part: text }),
};

/** Any event of any type. */
export const arbitraryEvent: fc.Arbitrary<Event> = fc.oneof(
  ...Object.entries(data).map(([type, payload]) =>
    fc.record({
      specversion: fc.constant('1.0'),
      id: fc.uuid(),
      source: text,
      type: fc.constant(type),
      subject: text,
      time: timestamp,
      datacontenttype: fc.constant('application/json'),
      tenant: text,
      actor: text,
      correlationid: text,
      position: count,
      resourceVersion: count,
      data: payload,
    }),
  ),
) as unknown as fc.Arbitrary<Event>;
