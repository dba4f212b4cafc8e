import { type InstanceRecord, mcpError, type MCPInfraError, type WriteEffects } from '@mcpinfra/core/plugin';
import type { Queries } from '../database/database.js';
import { prepared } from '../sql/statement.js';

/** A row as a write gives it. */
export interface Given {
  readonly id: string;
  readonly name: string;
  readonly resourceVersion: number;
}

/** What a write was to change. */
export type RowKind = 'server' | 'instance';

/**
 * Says why a write changed nothing: which of its conditions did not hold is asked for only then.
 */
export class Refusals {
  readonly #schema: string;

  constructor(schema: string) {
    this.#schema = schema;
  }

  /** Why a row was not replaced or removed, and whether it is gone. */
  async ofChange(
    session: Queries,
    {
      kind,
      given,
      fence,
    }: { readonly kind: RowKind; readonly given: Given; readonly fence: number | undefined },
  ): Promise<{ readonly gone: boolean; readonly error: MCPInfraError }> {
    const epoch = kind === 'instance' ? 'r.lease_epoch' : '0';
    const [row] = await session.query(
      prepared(`select ${this.#alive('$2')} as alive, r.resource_version, ${epoch} as lease_epoch
from (select) one left join ${this.#schema}.${kind}s r on r.id = $1::text`),
      [given.id, fence ?? null],
    );
    if (fence !== undefined && row?.['alive'] === 'f') return { gone: false, error: lostLease(fence) };
    const version = row?.['resource_version'] ?? null;
    const leaseEpoch = Number(row?.['lease_epoch'] ?? 0);
    if (fence !== undefined && version !== null && leaseEpoch > fence) {
      return { gone: false, error: passedLease(given, fence, leaseEpoch) };
    }
    return {
      gone: version === null,
      error: conflict(kind, given, version === null ? null : Number(version)),
    };
  }

  /** Why an instance was not added, or `null` where nothing forbids it any more. */
  async ofCreation(
    session: Queries,
    { id, tenant, name, slug }: InstanceRecord,
    { counters = [] }: WriteEffects,
  ): Promise<MCPInfraError | null> {
    const [taken] = await session.query(
      prepared(`select case when id = $1::text then 'id' when slug = $4::text then 'slug' else 'name' end as field
from ${this.#schema}.instances where id = $1::text or slug = $4::text or (tenant, name) = ($2::text, $3::text)
order by field limit 1`),
      [id, tenant, name, slug],
    );
    if (taken?.['field'] != null) return alreadyExists('instance', taken['field'], { id, name, slug });
    for (const counter of counters) {
      if (counter.max === undefined || counter.by <= 0) continue;
      const [row] = await session.query(
        prepared(`select value from ${this.#schema}.counters where name = $1::text`),
        [counter.name],
      );
      const value = Number(row?.['value'] ?? 0);
      if (value + counter.by > counter.max) return limitExceeded(counter.name, counter.max, value);
    }
    return null;
  }

  /** Why nothing could be written under a fence; `null` where it holds. */
  async ofFence(session: Queries, fence: number | undefined): Promise<MCPInfraError | null> {
    if (fence === undefined) return null;
    const [row] = await session.query(prepared(`select ${this.#alive('$1')} as alive`), [fence]);
    return row?.['alive'] === 't' ? null : lostLease(fence);
  }

  #alive(epoch: string): string {
    return `exists (select from ${this.#schema}.leases where epoch = ${epoch}::bigint and expires_at > clock_timestamp())`;
  }
}

function lostLease(fence: number): MCPInfraError {
  return mcpError(
    'LEASE_LOST',
    `The lease with the epoch ${fence} has expired, was given back or has another holder; nothing was written under it.`,
    { details: { fence } },
  );
}

/** The error for a row whose id, name or slug another one has. */
export function alreadyExists(
  kind: RowKind,
  field: string,
  row: { readonly id: string; readonly name: string; readonly slug?: string; readonly version?: string },
): MCPInfraError {
  const what: Readonly<Record<string, string>> = {
    id: `with the id ${row.id}`,
    slug: `with the slug "${row.slug ?? ''}"`,
    name: kind === 'server' ? `"${row.name}" of version "${row.version ?? ''}"` : `named "${row.name}"`,
  };
  const article = kind === 'server' ? 'A server' : 'An instance';
  return mcpError('ALREADY_EXISTS', `${article} ${what[field] ?? 'like it'} exists already.`, {
    details: { field },
  });
}

function passedLease(given: Given, fence: number, leaseEpoch: number): MCPInfraError {
  return mcpError(
    'LEASE_LOST',
    `A worker with the newer epoch ${leaseEpoch} has written the instance "${given.name}".`,
    { details: { id: given.id, fence, leaseEpoch } },
  );
}

function conflict(kind: RowKind, given: Given, current: number | null): MCPInfraError {
  const now = current === null ? 'it is gone' : `it has ${current} now`;
  return mcpError(
    'CONFLICT',
    `The ${kind} "${given.name}" was to be changed from resourceVersion ${given.resourceVersion}, but ${now}.`,
    { details: { id: given.id, given: given.resourceVersion, current } },
  );
}

function limitExceeded(counter: string, max: number, value: number): MCPInfraError {
  return mcpError('LIMIT_EXCEEDED', `The limit of ${max} for "${counter}" is reached (now ${value}).`, {
    details: { counter, max, value },
  });
}
