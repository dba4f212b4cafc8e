import type { InstanceFilter, PageQuery, ServerFilter } from '@mcpinfra/core';
import type { Request } from 'express';

/** Which servers a request asks for: `?status=active&tag=files&label.team=a&limit=20&cursor=…` */
export function serverFilter(req: Request): ServerFilter & PageQuery {
  const query = queryOf(req);
  return { ...commonFilter(query), status: allOf(query, 'status') as ServerFilter['status'] };
}

/** Which instances a request asks for: as for servers, and `type`, `slug` and `server_spec_id`. */
export function instanceFilter(req: Request): InstanceFilter & PageQuery {
  const query = queryOf(req);
  return {
    ...commonFilter(query),
    status: allOf(query, 'status') as InstanceFilter['status'],
    type: query.get('type') ?? undefined,
    slug: query.get('slug') ?? undefined,
    serverSpecId: query.get('server_spec_id') ?? undefined,
  };
}

function commonFilter(query: URLSearchParams): PageQuery & Pick<InstanceFilter, 'name' | 'tags' | 'labels'> {
  const limit = query.get('limit');
  const labels = [...query].filter(([key]) => key.startsWith('label.'));
  return {
    name: query.get('name') ?? undefined,
    tags: query.getAll('tag'),
    labels: Object.fromEntries(labels.map(([key, value]) => [key.slice('label.'.length), value])),
    limit: limit === null ? undefined : Number(limit),
    cursor: query.get('cursor') ?? undefined,
  };
}

function queryOf(req: Request): URLSearchParams {
  return new URL(req.url, 'http://localhost').searchParams;
}

/** All values of a parameter that can be repeated; `undefined`, which does not restrict, where there is none. */
function allOf(query: URLSearchParams, name: string): readonly string[] | undefined {
  return query.has(name) ? query.getAll(name) : undefined;
}
