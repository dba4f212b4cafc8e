import { messageOf, type Prerequisite } from '@mcpinfra/core/plugin';
import type { Engine } from './engine.js';
import { infoOf, isPodman, versionOf } from './engine-facts.js';

/** Tells what the engine can be counted on for. */
export async function checkPrerequisites(
  engine: Engine,
  signal: AbortSignal | undefined,
): Promise<readonly Prerequisite[]> {
  try {
    const [version, info] = await Promise.all([versionOf(engine, { signal }), infoOf(engine, { signal })]);
    const name = isPodman(version) ? 'Podman' : 'Docker';
    return [
      { name: 'engine', ok: true, message: `${name} ${version.Version ?? ''} answers at ${engine.address}.` },
      limit(info, { field: 'MemoryLimit', name: 'memory limit' }),
      limit(info, { field: 'CpuCfsQuota', name: 'cpu limit' }),
      limit(info, { field: 'PidsLimit', name: 'pids limit' }),
    ];
  } catch (error) {
    return [{ name: 'engine', ok: false, message: messageOf(error) }];
  }
}

function limit(
  info: Readonly<Record<string, unknown>>,
  { field, name }: { readonly field: string; readonly name: string },
): Prerequisite {
  // Engines write some names in two ways.
  const value = info[field] ?? info[field.replace('Cpu', 'CPU')];
  const ok = value !== false;
  const message = ok
    ? 'The engine enforces it.'
    : 'The engine does not enforce it: enable the control group controller, for example cgroup_enable=memory at boot, or delegate it to the user.';
  return { name, ok, message };
}
