import { canSeeProcesses, readProcess, walkPids } from './process-table.js';

/** Sends a signal to every process of a group; one that is gone is left in peace. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // Nobody is left.
  }
}

/** Tells whether somebody of a process group lives; zombies do not. */
export async function isGroupAlive(group: number): Promise<boolean> {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  // Where nobody waits for orphans, as in a container without an init, zombies stay in their group for ever.
  if (!canSeeProcesses()) return true;
  for await (const pid of walkPids()) if (readProcess(pid)?.group === group) return true;
  return false;
}
