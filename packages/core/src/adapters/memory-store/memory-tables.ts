import type { InstanceQuery, InstanceRecord, MCPServer, ServerQuery } from '../../plugin.js';
import type { Committed } from './committed.js';
import { instanceKey } from './layer.js';
import type { PageSource } from './pages.js';

/** The servers a query asks for. */
export function serversFor(
  committed: Committed,
  query: Omit<ServerQuery, 'limit' | 'cursor'>,
): PageSource<MCPServer> {
  return {
    rows: committed.layer.servers,
    order: committed.serverOrder,
    matches: (server) =>
      (query.tenant === undefined || server.tenant === query.tenant || server.isPublic) &&
      same(query.name, server.name) &&
      same(query.version, server.version) &&
      oneOf(query.status, server.status) &&
      hasTags(query.tags, server.tags) &&
      hasLabels(query.labels, server.labels),
  };
}

/** The instances a query asks for. */
export function instancesFor(
  committed: Committed,
  query: Omit<InstanceQuery, 'limit' | 'cursor'>,
): PageSource<InstanceRecord> {
  const { layer } = committed;
  return {
    rows: layer.instances,
    order: committed.instanceOrder,
    only: onlyInstance(committed, query),
    matches: (instance) =>
      same(query.tenant, instance.tenant) &&
      same(query.name, instance.name) &&
      same(query.slug, instance.slug) &&
      same(query.desiredState, instance.desiredState) &&
      same(query.type, instance.jsonSpec.type) &&
      same(query.serverSpecId, instance.serverSpecId) &&
      oneOf(query.status, instance.status) &&
      (query.tags === undefined ||
        hasTags(query.tags, layer.servers.get(instance.serverSpecId ?? '')?.tags ?? [])) &&
      hasLabels(query.labels, instance.labels),
  };
}

function onlyInstance(
  { layer }: Committed,
  { tenant, name, slug }: Omit<InstanceQuery, 'limit' | 'cursor'>,
): string | null | undefined {
  if (slug !== undefined) return layer.slugs.get(slug) ?? null;
  if (tenant !== undefined && name !== undefined)
    return layer.instanceKeys.get(instanceKey({ tenant, name })) ?? null;
  return undefined;
}

function same(wanted: string | undefined, value: string | null): boolean {
  return wanted === undefined || wanted === value;
}

function oneOf(wanted: readonly string[] | undefined, value: string): boolean {
  return wanted === undefined || wanted.includes(value);
}

function hasTags(wanted: readonly string[] | undefined, tags: readonly string[]): boolean {
  return wanted === undefined || wanted.every((tag) => tags.includes(tag));
}

function hasLabels(
  wanted: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  return wanted === undefined || Object.entries(wanted).every(([name, value]) => labels[name] === value);
}
