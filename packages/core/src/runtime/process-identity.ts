import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { ProcessIdentity } from '../domain/fleet/process-identity.js';

// The inode of the first pid namespace (linux/include/linux/proc_ns.h, PROC_PID_INIT_INO).
const initialPidNamespace = 'pid:[4026531836]';
const unknownBoot = '0'.repeat(32);

let own: Promise<ProcessIdentity> | undefined;

/** Gives the identity of this process. */
export function processIdentity(): Promise<ProcessIdentity> {
  own ??= readIdentity();
  return own;
}

/**
 * Tells whether a process has certainly ended: same machine, and another boot, no such pid, or the pid given anew.
 *
 * False when it cannot be known, as for a process of another machine or container. Takes shortened ids too.
 */
export async function isSurelyDead(identity: ProcessIdentity): Promise<boolean> {
  const here = await processIdentity();
  if (!here.machineId.startsWith(identity.machineId)) return false;
  if (isKnown(identity.bootId) && isKnown(here.bootId) && !here.bootId.startsWith(identity.bootId))
    return true;
  if (!exists(identity.pid)) return true;
  const stat = (await showsOurPids()) ? await readStat(identity.pid) : undefined;
  if (stat === undefined) return false;
  // A zombie has ended; only its parent has not taken notice.
  if (stat.state === 'Z' || stat.state === 'X') return true;
  return identity.startTime > 0 && stat.startTime !== identity.startTime;
}

async function readIdentity(): Promise<ProcessIdentity> {
  const [machine, namespace, boot, stat] = await Promise.all([
    read('/etc/machine-id'),
    readlink('/proc/self/ns/pid').catch(() => initialPidNamespace),
    read('/proc/sys/kernel/random/boot_id'),
    readStat('self'),
  ]);
  // The machine's id is confidential (machine-id(5)) and the same in all containers of one image; pids are not. Names of
  // containers and numbers of namespaces are the same on many machines, the boot is not.
  const place =
    namespace === initialPidNamespace ? [machine ?? hostname()] : [machine, hostname(), namespace, boot];
  return {
    machineId: createHash('sha256')
      .update(`mcpinfra\n${place.join('\n')}`)
      .digest('hex')
      .slice(0, 32),
    bootId: boot?.replaceAll('-', '') ?? unknownBoot,
    pid: process.pid,
    startTime: stat?.startTime ?? 0,
  };
}

async function read(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.trim() === '' ? undefined : text.trim();
}

/** Fields 3 and 22 of `/proc/<pid>/stat` (proc_pid_stat(5)). */
async function readStat(pid: number | 'self'): Promise<{ state: string; startTime: number } | undefined> {
  const text = await read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The command in field 2 may hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTime: Number(fields[19] ?? 0) };
}

/** Whether `/proc` is of our pid namespace: in another's, our pids are the names of other processes. */
async function showsOurPids(): Promise<boolean> {
  return (await readlink('/proc/self').catch(() => '')) === String(process.pid);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, but another user's.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

function isKnown(bootId: string): boolean {
  return !/^0+$/u.test(bootId);
}
