import { randomUUID } from 'node:crypto';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import { timestamp } from '../context/event-drafts.js';
import type { AdmittedDocument } from './instance-admission.js';
import type { CheckedInstanceInput } from './instance-input.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';

/** The first row of an instance. */
export function newInstanceRecord(
  context: ServiceContext,
  request: {
    readonly id: string;
    readonly tenant: string;
    readonly slug: string;
    readonly input: CheckedInstanceInput;
    readonly admitted: AdmittedDocument;
    readonly options: CommandOptions;
  },
): InstanceRecord {
  const { id, tenant, slug, input, admitted, options } = request;
  const { name, description, serverSpecId, labels, desiredState } = input;
  const now = timestamp(context);
  const { gatewayUrl } = context.settings;
  return {
    id,
    tenant,
    name,
    description,
    serverSpecId,
    serverResourceVersion: admitted.pinned?.resourceVersion ?? null,
    jsonSpec: admitted.jsonSpec,
    slug,
    desiredState,
    status: desiredState === 'running' ? 'pending' : 'stopped',
    statusDetail: {
      reason: '',
      message: '',
      since: now,
      restartCount: 0,
      nextRetryAt: null,
      lastExit: null,
      endpoint: null,
      health: { state: 'unknown', message: '', since: now },
    },
    generation: 1,
    observedGeneration: 0,
    url: gatewayUrl === null ? null : `${gatewayUrl.replace(/\/+$/u, '')}/${slug}`,
    labels,
    createdAt: now,
    updatedAt: now,
    resourceVersion: 1,
    runtime: {
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
      // An on-demand instance is started once, so that it is known to work and its tools are known.
      wantedUntil: timestamp(context, admitted.lifecycle.idleTimeoutMs),
      pinned: admitted.pinned,
      handshake: null,
      ownedSecretScopes: [...new Set(admitted.secrets.map(({ reference }) => reference.scope))],
      appliedKeys: options.idempotencyKey === undefined ? [] : [options.idempotencyKey],
      correlationId: options.idempotencyKey ?? randomUUID(),
      leaseEpoch: 0,
    },
  };
}
