import type { InstanceRecord, MCPServer } from '@mcpinfra/core/plugin';

/** The columns of a table with their types, in the order of a row's values. */
type Columns = Readonly<Record<string, string>>;

const serverColumns: Columns = {
  id: 'text',
  resource_version: 'bigint',
  tenant: 'text',
  name: 'text',
  version: 'text',
  status: 'text',
  is_public: 'boolean',
  tags: 'text[]',
  labels: 'jsonb',
  created_at: 'timestamptz',
  body: 'json',
};

const instanceColumns: Columns = {
  id: 'text',
  resource_version: 'bigint',
  lease_epoch: 'bigint',
  tenant: 'text',
  name: 'text',
  slug: 'text',
  status: 'text',
  desired_state: 'text',
  type: 'text',
  server_spec_id: 'text',
  labels: 'jsonb',
  created_at: 'timestamptz',
  body: 'json',
};

/** How rows of a table are written: `$1` is the id, `$2` the new version. */
export interface RowWriting {
  readonly count: number;
  /** `id, resource_version, …` */
  readonly names: string;
  /** `$1::text, $2::bigint, …` */
  readonly places: string;
  /** `resource_version = $2::bigint, …` */
  readonly assignments: string;
  /** The place of a column's value, with its type. */
  place(column: string): string;
}

export const serverWriting = writing(serverColumns);
export const instanceWriting = writing(instanceColumns);

/** The values of a server's row, which is plain data, in the order of the columns. */
export function serverValues(server: MCPServer): unknown[] {
  const { id, resourceVersion, tenant, name, version, status, isPublic, tags, labels, createdAt } = server;
  return [
    id,
    resourceVersion,
    tenant,
    name,
    version,
    status,
    isPublic,
    tags,
    JSON.stringify(labels),
    createdAt,
    JSON.stringify(server),
  ];
}

/** The values of an instance's row, which is plain data, in the order of the columns. */
export function instanceValues(record: InstanceRecord): unknown[] {
  const { id, resourceVersion, runtime, tenant, name, slug, status, desiredState, jsonSpec } = record;
  return [
    id,
    resourceVersion,
    runtime.leaseEpoch,
    tenant,
    name,
    slug,
    status,
    desiredState,
    jsonSpec.type,
    record.serverSpecId,
    JSON.stringify(record.labels),
    record.createdAt,
    JSON.stringify(record),
  ];
}

function writing(columns: Columns): RowWriting {
  const entries = Object.entries(columns).map(
    ([name, type], index) => [name, `$${index + 1}::${type}`] as const,
  );
  const placed = new Map(entries);
  return {
    place: (column) => placed.get(column) ?? '',
    count: entries.length,
    names: entries.map(([name]) => name).join(', '),
    places: entries.map(([, place]) => place).join(', '),
    assignments: entries
      .filter(([name]) => name !== 'id')
      .map(([name, place]) => `${name} = ${place}`)
      .join(', '),
  };
}
