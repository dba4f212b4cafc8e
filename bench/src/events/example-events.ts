import { randomUUID } from 'node:crypto';
import type { Event } from '@mcpinfra/core/plugin';

/** Makes events of the kind that is most frequent, numbered by their position from 1 on. */
export function exampleEvents(count: number): readonly Event[] {
  return Array.from({ length: count }, (_, index) => ({
    specversion: '1.0',
    id: randomUUID(),
    source: 'mcpinfra/bench',
    type: 'MCPServerInstanceStatusChanged',
    subject: randomUUID(),
    time: '2026-01-02T03:04:05.678Z',
    datacontenttype: 'application/json',
    tenant: '',
    actor: 'system',
    correlationid: randomUUID(),
    position: index + 1,
    resourceVersion: 3,
    data: {
      instanceId: randomUUID(),
      name: 'filesystem',
      slug: 'filesystem-0b0e6a52',
      labels: { team: 'a' },
      from: 'starting',
      to: 'running',
      reason: '',
      message: '',
      endpoint: null,
      health: 'healthy',
      restartCount: 0,
      nextRetryAt: null,
      lastedMs: 312.5,
      toolCount: 5,
      observedGeneration: 1,
    },
  }));
}
