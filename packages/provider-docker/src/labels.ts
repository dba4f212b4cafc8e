import type { CopyRef } from '@mcpinfra/core/plugin';

/** The labels that say whose a container or network is, and what a later host has to know of it. */
export const labels = {
  fleet: 'io.mcpinfra.fleet',
  store: 'io.mcpinfra.store',
  instance: 'io.mcpinfra.instance',
  revision: 'io.mcpinfra.revision',
  slug: 'io.mcpinfra.slug',
  /** On networks that several copies share, in the place of instance, revision and slug. */
  shared: 'io.mcpinfra.shared',
  transport: 'io.mcpinfra.transport',
  port: 'io.mcpinfra.port',
  path: 'io.mcpinfra.path',
  /** The variables that hold secrets, see secret-values.ts; never a value. */
  secrets: 'io.mcpinfra.secrets',
} as const;

/** A set of labels as engines give it. */
export type LabelSet = Readonly<Record<string, string>>;

/** Whose something is. */
export interface Owner {
  readonly fleet: string;
  readonly storeId: string;
}

/** A copy and whose it is. */
export interface OwnedRef extends Owner {
  readonly copy: CopyRef;
}

/** The name of a copy's container, and of the network that is its own. */
export function copyName(copy: CopyRef): string {
  return `mcp-${copy.slug}-r${String(copy.revision)}`;
}

/** Writes whose a copy is. */
export function ownerLabels({ fleet, storeId, copy }: OwnedRef): Record<string, string> {
  return {
    [labels.fleet]: fleet,
    [labels.store]: storeId,
    [labels.instance]: copy.instanceId,
    [labels.revision]: String(copy.revision),
    [labels.slug]: copy.slug,
  };
}

/** Reads whose a copy is; `undefined` for labels that are not ours. */
export function readOwner(set: LabelSet | null | undefined): OwnedRef | undefined {
  const fleet = set?.[labels.fleet];
  const storeId = set?.[labels.store];
  const instanceId = set?.[labels.instance];
  const revision = Number(set?.[labels.revision]);
  const slug = set?.[labels.slug];
  if (fleet === undefined || storeId === undefined || instanceId === undefined) return undefined;
  if (slug === undefined || !Number.isInteger(revision)) return undefined;
  return { fleet, storeId, copy: { instanceId, revision, slug } };
}

/** Whether labels name exactly this copy. */
export function isCopy(set: LabelSet | null | undefined, meant: OwnedRef): boolean {
  const found = readOwner(set);
  return found !== undefined && copyKey(found) === copyKey(meant);
}

/** The key of a copy among all copies there are. */
export function copyKey({ fleet, storeId, copy }: OwnedRef): string {
  return [fleet, storeId, copy.instanceId, copy.revision].join('\0');
}

/** What an engine is asked for by label; all have to fit. */
export function labelFilter(set: LabelSet): string[] {
  return Object.entries(set).map(([name, value]) => `${name}=${value}`);
}
