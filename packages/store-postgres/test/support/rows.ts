import { randomUUID } from 'node:crypto';
import {
  type EventDraft,
  initialRuntime,
  initialStatusDetail,
  type InstanceRecord,
  type MCPServer,
} from '@mcpinfra/core/plugin';

const at = '2026-01-02T03:04:05.678Z';
const jsonSpec = { type: 'process', command: ['true'] };

/** A server; every call gives another id and name. */
export function server(change: Partial<MCPServer> = {}): MCPServer {
  const id = change.id ?? randomUUID();
  return {
    id,
    tenant: '',
    name: `server-${id}`,
    description: '',
    dockerImageUrl: null,
    version: '1.0.0',
    tags: [],
    status: 'active',
    isPublic: true,
    envSchema: [],
    jsonSpec: {},
    labels: {},
    createdAt: at,
    updatedAt: at,
    resourceVersion: 1,
    ...change,
  };
}

/** An instance; every call gives another id and name. */
export function instance(change: Partial<InstanceRecord> = {}): InstanceRecord {
  const id = change.id ?? randomUUID();
  return {
    id,
    tenant: '',
    name: `instance-${id}`,
    description: '',
    serverSpecId: null,
    serverResourceVersion: null,
    jsonSpec,
    slug: `slug-${id}`,
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

/** An event about a subject. */
export function event(subject = 'fleet'): EventDraft<'FleetRecovered'> {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: 'mcpinfra/test',
    type: 'FleetRecovered',
    subject,
    time: at,
    datacontenttype: 'application/json',
    tenant: '',
    actor: 'system',
    correlationid: 'c-1',
    data: { part: 'store' },
  };
}
