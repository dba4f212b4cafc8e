import { randomUUID } from 'node:crypto';
import {
  type EventDraft,
  initialRuntime,
  initialStatusDetail,
  type InstanceRecord,
} from '@mcpinfra/core/plugin';

const at = '2026-01-02T03:04:05.678Z';
const spec = {
  type: 'process',
  command: ['node', 'server.js'],
  environment: { API_KEY: 'secret_ref:instance_1:API_KEY', ROOT: '/data' },
  health_check: { type: 'none' },
} as const;
const tool = (n: number) => ({
  name: `tool_${n}`,
  description: 'Reads the whole file at the given path and returns its content as text.',
  inputSchema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
});

/** An instance of usual size, about 3 KB of JSON, that runs its first revision. */
export function exampleInstance(placement: string): InstanceRecord {
  const id = randomUUID();
  const name = `fs-${id}`;
  return {
    id,
    tenant: '',
    name,
    description: 'The files of a project.',
    serverSpecId: null,
    serverResourceVersion: null,
    jsonSpec: spec,
    slug: `fs-${id}`,
    desiredState: 'running',
    status: 'running',
    statusDetail: { ...initialStatusDetail(at), health: { state: 'healthy', message: '', since: at } },
    generation: 1,
    observedGeneration: 1,
    url: null,
    labels: { team: 'a', stage: 'live' },
    createdAt: at,
    updatedAt: at,
    resourceVersion: 1,
    runtime: {
      ...initialRuntime(randomUUID()),
      placement,
      active: { revision: 1, runHash: 'a'.repeat(64), spec },
      lastRevision: 1,
      steadySince: at,
      handshake: {
        at,
        era: 'legacy',
        protocolVersion: '2025-11-25',
        serverName: 'filesystem',
        serverVersion: '1.2.3',
        tools: Array.from({ length: 8 }, (_, n) => tool(n)),
      },
      leaseEpoch: 1,
    },
  };
}

/** What a change of status tells, with an id of its own. */
export function exampleEvent({ id, name, slug }: InstanceRecord): EventDraft {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: 'mcpinfra/bench',
    type: 'MCPServerInstanceStatusChanged',
    subject: id,
    time: at,
    datacontenttype: 'application/json',
    tenant: '',
    actor: 'system',
    correlationid: id,
    data: {
      instanceId: id,
      name,
      slug,
      labels: {},
      from: 'running',
      to: 'unhealthy',
      reason: 'REQUEST_TIMEOUT',
      message: '3 probes in a row failed.',
      endpoint: null,
      health: 'unhealthy',
      restartCount: 0,
      nextRetryAt: null,
      lastedMs: 1_234,
      toolCount: null,
      observedGeneration: 1,
    },
  };
}
