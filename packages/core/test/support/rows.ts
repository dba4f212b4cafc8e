import { randomUUID } from 'node:crypto';
import {
  type EventDraft,
  initialRuntime,
  initialStatusDetail,
  type InstanceRecord,
  type InstanceRuntime,
  type MCPServer,
} from '@mcpinfra/core/plugin';

const at = '2026-01-02T03:04:05.678Z';

/** A server to begin with; every call gives another id. */
export function exampleServer(change: Partial<MCPServer> = {}): MCPServer {
  return {
    id: randomUUID(),
    tenant: '',
    name: 'filesystem',
    description: 'Reads and writes files.',
    dockerImageUrl: 'mcp/filesystem:latest',
    version: '1.0.0',
    tags: ['files'],
    status: 'active',
    isPublic: true,
    envSchema: [{ name: 'API_KEY', type: 'string', required: true, secret: true }],
    jsonSpec: { health_check: { type: 'mcp' } },
    labels: { team: 'a' },
    createdAt: at,
    updatedAt: at,
    resourceVersion: 1,
    ...change,
  };
}

const dockerSpec = {
  type: 'docker',
  image: 'mcp/filesystem',
  environment: { API_KEY: 'secret_ref:instance_1:API_KEY' },
};

/** An instance to begin with; every call gives another id, and the name to it unless one is given. */
export function exampleInstance(change: Partial<InstanceRecord> = {}): InstanceRecord {
  const id = change.id ?? randomUUID();
  const name = change.name ?? `fs-${id.slice(0, 8)}`;
  return {
    id,
    tenant: '',
    name,
    description: '',
    serverSpecId: null,
    serverResourceVersion: null,
    jsonSpec: dockerSpec,
    slug: `${name}-${id.slice(0, 8)}`,
    desiredState: 'running',
    status: 'pending',
    statusDetail: initialStatusDetail(at),
    generation: 1,
    observedGeneration: 0,
    url: null,
    labels: {},
    createdAt: at,
    updatedAt: at,
    resourceVersion: 1,
    runtime: exampleRuntime(),
    ...change,
  };
}

/** What the controller knows of a new instance. */
export function exampleRuntime(change: Partial<InstanceRuntime> = {}): InstanceRuntime {
  return { ...initialRuntime('c-1'), ...change };
}

/** An event about nothing in particular. */
export function exampleEvent(
  change: Partial<EventDraft<'FleetRecovered'>> = {},
): EventDraft<'FleetRecovered'> {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: 'mcpinfra/test',
    type: 'FleetRecovered',
    subject: 'fleet',
    time: at,
    datacontenttype: 'application/json',
    tenant: '',
    actor: 'system',
    correlationid: 'c-1',
    data: { part: 'store' },
    ...change,
  };
}
