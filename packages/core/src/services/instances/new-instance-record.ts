import { randomUUID } from 'node:crypto';
import { initialRuntime, initialStatusDetail } from '../../domain/instance/initial-state.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { secretScopeOf } from '../../domain/secrets/secret-scopes.js';
import { timestamp } from '../context/event-drafts.js';
import { versionsIn } from '../secrets/own-versions.js';
import type { AdmittedDocument } from './instance-admission.js';
import type { CheckedInstanceInput } from './instance-input.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';

/** The scopes in the secret store that an instance owns: its own, once something of it is kept there. */
export function ownedScopes(id: string, jsonSpec: JsonSpec, before?: InstanceRecord): readonly string[] {
  const own = versionsIn(id, jsonSpec).size > 0 ? [secretScopeOf(id)] : [];
  return [...new Set([...(before?.runtime.ownedSecretScopes ?? []), ...own])];
}

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
    statusDetail: initialStatusDetail(now),
    generation: 1,
    observedGeneration: 0,
    url: gatewayUrl === null ? null : `${gatewayUrl.replace(/\/+$/u, '')}/${slug}`,
    labels,
    createdAt: now,
    updatedAt: now,
    resourceVersion: 1,
    runtime: {
      ...initialRuntime(options.idempotencyKey ?? randomUUID()),
      // An on-demand instance is started once, so that it is known to work and its tools are known.
      wantedUntil: timestamp(context, admitted.lifecycle.idleTimeoutMs),
      pinned: admitted.pinned,
      ownedSecretScopes: ownedScopes(id, admitted.jsonSpec),
      appliedKeys: options.idempotencyKey === undefined ? [] : [options.idempotencyKey],
    },
  };
}
