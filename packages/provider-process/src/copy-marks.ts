import type { CopyRef, ProcessIdentity } from '@mcpinfra/core/plugin';

/**
 * Whose a process is, as its environment says.
 *
 * The environment is inherited by children of children, also by those that leave the process group, and the system
 * shows it to a later host: so it says more than any list we could keep.
 */
export interface CopyMarks {
  readonly fleet: string;
  readonly storeId: string;
  readonly copy: CopyRef;
  /** The host process that started it. */
  readonly owner: ProcessIdentity;
}

const names = {
  fleet: 'MCPINFRA_FLEET',
  store: 'MCPINFRA_STORE',
  instance: 'MCPINFRA_INSTANCE',
  revision: 'MCPINFRA_REVISION',
  slug: 'MCPINFRA_SLUG',
  owner: 'MCPINFRA_OWNER',
} as const;

/** Writes the marks as environment variables. */
export function marksToEnvironment(marks: CopyMarks): Record<string, string> {
  return {
    [names.fleet]: marks.fleet,
    [names.store]: marks.storeId,
    [names.instance]: marks.copy.instanceId,
    [names.revision]: String(marks.copy.revision),
    [names.slug]: marks.copy.slug,
    [names.owner]: formatOwner(marks.owner),
  };
}

/** Reads the marks off an environment as `/proc/<pid>/environ` shows it; `undefined` for a process that is not ours. */
export function marksFromEnviron(environ: string): CopyMarks | undefined {
  if (!environ.includes(`${names.fleet}=`)) return undefined;
  const found = new Map<string, string>();
  for (const entry of environ.split('\0')) {
    const equals = entry.indexOf('=');
    if (entry.startsWith('MCPINFRA_')) found.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  const fleet = found.get(names.fleet);
  const storeId = found.get(names.store);
  const instanceId = found.get(names.instance);
  const revision = Number(found.get(names.revision));
  const slug = found.get(names.slug);
  const owner = parseOwner(found.get(names.owner) ?? '');
  if (fleet === undefined || storeId === undefined || instanceId === undefined) return undefined;
  if (slug === undefined || owner === undefined || !Number.isInteger(revision)) return undefined;
  return { fleet, storeId, copy: { instanceId, revision, slug }, owner };
}

/** The key of a copy among all copies there are. */
export function copyKey({ fleet, storeId, copy }: Omit<CopyMarks, 'owner'>): string {
  return [fleet, storeId, copy.instanceId, copy.revision].join('\0');
}

/** Tells whether two identities are of one process. */
export function isSameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return formatOwner(a) === formatOwner(b);
}

function formatOwner({ machineId, bootId, pid, startTime }: ProcessIdentity): string {
  return [machineId, bootId, pid, startTime].join('.');
}

function parseOwner(text: string): ProcessIdentity | undefined {
  const [, machineId, bootId, pid, startTime] = /^([0-9a-f]+)\.([0-9a-f]+)\.(\d+)\.(\d+)$/u.exec(text) ?? [];
  if (machineId === undefined || bootId === undefined) return undefined;
  return { machineId, bootId, pid: Number(pid), startTime: Number(startTime) };
}
