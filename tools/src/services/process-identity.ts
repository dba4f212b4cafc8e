import { readFileSync } from 'node:fs';
import { eventually } from './eventually.js';

/** One process: a pid alone may belong to another one later. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks after boot; empty where there is no /proc. */
  readonly startedAt: string;
}

/** Identifies a process that runs; undefined when there is none, or only its zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  if (process.platform !== 'linux') return canSignal(pid) ? { pid, startedAt: '' } : undefined;
  const fields = statFields(pid);
  const startedAt = fields?.[19];
  return startedAt === undefined || fields?.[0] === 'Z' ? undefined : { pid, startedAt };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startedAt === identity.startedAt;
}

/** Reads a pid file; undefined when no process runs there that is the file's: its pid may be another's by now. */
export function identifyByFile(path: string, isIts: (pid: number) => boolean): ProcessIdentity | undefined {
  const pid = Number(readText(path));
  return Number.isInteger(pid) && pid > 0 && isIts(pid) ? identify(pid) : undefined;
}

/** Whether an argument of the process is a path below the folder. */
export function namesFolder(pid: number, folder: string): boolean {
  const argv = readText(`/proc/${pid}/cmdline`).split('\0');
  return argv.some((argument) => argument.startsWith(`${folder}/`));
}

/** The name of the program, cut after 15 characters. */
export function programName(pid: number): string {
  return readText(`/proc/${pid}/comm`).trim();
}

/** Whether the process is in a control group of this name. */
export function isInGroup(pid: number, name: string): boolean {
  return readText(`/proc/${pid}/cgroup`).includes(name);
}

/** Sends the signal; a process that is gone already is none of its concern. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (isRunning(identity)) process.kill(identity.pid, name);
}

export async function gone(identity: ProcessIdentity, timeoutMs: number): Promise<void> {
  await eventually(`process ${identity.pid} to end`, timeoutMs, () => !isRunning(identity));
}

/** Ends it with the signal, and with SIGKILL when that was not enough in time. */
export async function end(identity: ProcessIdentity, name: NodeJS.Signals, timeoutMs: number): Promise<void> {
  signal(identity, name);
  try {
    await gone(identity, timeoutMs);
  } catch {
    signal(identity, 'SIGKILL');
    await gone(identity, 5_000);
  }
}

/** The fields of /proc/PID/stat from the state on: the name before them may hold spaces and brackets. */
function statFields(pid: number): string[] | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  return stat === '' ? undefined : stat.slice(stat.lastIndexOf(') ') + 2).split(' ');
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function canSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
