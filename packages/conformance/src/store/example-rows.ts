import { randomUUID } from 'node:crypto';
import {
  type DeadLetter,
  type EventDraft,
  initialRuntime,
  initialStatusDetail,
  type InstanceRecord,
  type MCPServer,
} from '@mcpinfra/core/plugin';

const at = '2026-01-02T03:04:05.678Z';

/** A point in time, some milliseconds after a fixed one. */
export function timeAfter(ms: number): string {
  return new Date(Date.parse(at) + ms).toISOString();
}

/** A server; every call gives another id and, unless one is given, another name. */
export function exampleServer(change: Partial<MCPServer> = {}): MCPServer {
  const id = change.id ?? randomUUID();
  return {
    id,
    tenant: '',
    name: `server-${id.slice(0, 8)}`,
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

/** An instance; every call gives another id and, unless they are given, another name and slug. */
export function exampleInstance(change: Partial<InstanceRecord> = {}): InstanceRecord {
  const id = change.id ?? randomUUID();
  const name = change.name ?? `instance-${id.slice(0, 8)}`;
  return {
    id,
    tenant: '',
    name,
    description: '',
    serverSpecId: null,
    serverResourceVersion: null,
    jsonSpec: { type: 'docker', environment: { API_KEY: 'secret_ref:instance_1:API_KEY' } },
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
    runtime: initialRuntime('c-1'),
    ...change,
  };
}

/** An event about nothing in particular; every call gives another id. */
export function exampleEvent(
  change: Partial<EventDraft<'FleetRecovered'>> = {},
): EventDraft<'FleetRecovered'> {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: 'mcpinfra/conformance',
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

/** Events about nothing in particular. */
export function exampleEvents(count: number): EventDraft<'FleetRecovered'>[] {
  return Array.from({ length: count }, () => exampleEvent());
}

/** What a group gave up. */
export function exampleLetter(position: number, change: Partial<DeadLetter> = {}): DeadLetter {
  const event = { ...exampleEvent(), position, resourceVersion: 1 };
  return { event, error: 'It failed.', tries: 10, at, ...change };
}
