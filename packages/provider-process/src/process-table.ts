import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setImmediate as othersTurn } from 'node:timers/promises';
import { marksFromEnviron, type CopyMarks } from './copy-marks.js';

/** A process as `/proc/<pid>/stat` shows it (proc_pid_stat(5)). */
export interface ProcessEntry {
  readonly pid: number;
  readonly group: number;
  readonly session: number;
  /** Since the boot, in clock ticks: with the pid it names a process for good, since pids are reused. */
  readonly startTicks: number;
  readonly threads: number;
}

/** Whose processes can be found by their environment: ours, nobody's, or those of another pid namespace. */
export type ProcessTable = 'ours' | 'none' | 'foreign';

const table = findTable();

/** Tells whether processes can be found by their environment on this system. */
export function canSeeProcesses(): boolean {
  return table === 'ours';
}

/** Tells whose processes `/proc` shows: their pids mean other processes where it is that of another pid namespace. */
export function processTable(): ProcessTable {
  return table;
}

function findTable(): ProcessTable {
  // Only Linux shows the environment of other processes as a file.
  if (process.platform !== 'linux') return 'none';
  try {
    return readlinkSync('/proc/self') === String(process.pid) ? 'ours' : 'foreign';
  } catch {
    return 'none';
  }
}

/** Lists the ids of all processes there are. */
export function listPids(): number[] {
  if (!canSeeProcesses()) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .map(Number);
}

/** So long a walk through the table goes on before others have their turn: a machine may run thousands of processes. */
const sliceMs = 4;

/** Walks through the ids of all processes there are, in slices. */
export async function* walkPids(): AsyncGenerator<number> {
  let sliceEndMs = performance.now() + sliceMs;
  for (const pid of listPids()) {
    yield pid;
    if (performance.now() < sliceEndMs) continue;
    await othersTurn();
    sliceEndMs = performance.now() + sliceMs;
  }
}

/** Reads one process; `undefined` when it is gone or a zombie, which holds nothing and ends with its parent's wait. */
export function readProcess(pid: number): ProcessEntry | undefined {
  const text = readOf(pid, 'stat');
  if (text === undefined) return undefined;
  // The second field is the name in parentheses and may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, group, session, threads, startTicks] = [0, 2, 3, 17, 19].map((index) => fields[index]);
  if (state === 'Z' || state === 'X' || startTicks === undefined) return undefined;
  return {
    pid,
    group: Number(group),
    session: Number(session),
    threads: Number(threads),
    startTicks: Number(startTicks),
  };
}

/** Reads the marks of a process; `undefined` when it has none, is gone, or belongs to another user. */
export function readMarks(pid: number): CopyMarks | undefined {
  const environ = readOf(pid, 'environ');
  return environ === undefined ? undefined : marksFromEnviron(environ);
}

/** Reads how much memory a process has for itself; memory it shares through files is not counted. */
export function readPrivateBytes(pid: number): number {
  const kilobytes = /^RssAnon:\s+(\d+) kB$/mu.exec(readOf(pid, 'status') ?? '')?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

/** When a process of the table began, in milliseconds since the epoch. */
export function startedAtMs(entry: ProcessEntry): number {
  const bootSeconds = /^btime (\d+)$/mu.exec(readIfThere('/proc/stat') ?? '')?.[1];
  // User-visible ticks are 1/100 s on every architecture Node runs on (USER_HZ).
  return Number(bootSeconds ?? 0) * 1000 + entry.startTicks * 10;
}

function readOf(pid: number, file: string): string | undefined {
  return canSeeProcesses() ? readIfThere(`/proc/${pid}/${file}`) : undefined;
}

// Files of /proc are read from memory, so a synchronous read does not wait for a disk.
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
