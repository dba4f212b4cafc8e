import type { Timestamp } from '../server/mcp-server.js';
import type { InstanceRuntime } from './instance-record.js';
import type { StatusDetail } from './mcp-server-instance.js';

/** What the status of an instance says before anything happened to it. */
export function initialStatusDetail(since: Timestamp): StatusDetail {
  return {
    reason: '',
    message: '',
    since,
    restartCount: 0,
    nextRetryAt: null,
    lastExit: null,
    endpoint: null,
    health: { state: 'unknown', message: '', since },
  };
}

/** What the controller knows of an instance that was never started. */
export function initialRuntime(correlationId: string): InstanceRuntime {
  return {
    placement: null,
    active: null,
    candidate: null,
    lastRevision: 0,
    refusedGeneration: null,
    renew: false,
    secretsVersion: 0,
    secretFingerprint: null,
    deleteRequestedAt: null,
    failures: 0,
    steadySince: null,
    wantedUntil: null,
    pinned: null,
    handshake: null,
    ownedSecretScopes: [],
    appliedKeys: [],
    correlationId,
    leaseEpoch: 0,
  };
}
