import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';

/** Why processes cannot be looked at here; `null` where they can. */
export const unseenProcesses = (): string | null =>
  process.platform === 'linux' ? null : 'what runs is read from /proc, which this system does not have';

/** The ids of the processes that a text is in a part of: of their command line or of their environment. */
export function pidsShowing(text: string, part: 'cmdline' | 'environ'): readonly number[] {
  return allPids().filter((pid) => contentOf(pid, part).includes(text));
}

/** The ids of all processes that one has started, and those have. */
export function descendantsOf(ancestor: number): readonly number[] {
  const parents = new Map(allPids().map((pid) => [pid, Number(statOf(pid)[1])]));
  const children = (of: number): number[] =>
    [...parents].flatMap(([pid, parent]) => (parent === of ? [pid, ...children(pid)] : []));
  return children(ancestor);
}

/** Whether a process runs; one that has ended and that nobody has waited for does not. */
export function isRunning(pid: number): boolean {
  const [state = 'X'] = statOf(pid);
  return state !== 'Z' && state !== 'X';
}

const allPids = (): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name))
    .map(Number);

/** The state of a process and the id of its parent; they follow the name, in which anything may be. */
function statOf(pid: number): readonly string[] {
  const stat = contentOf(pid, 'stat');
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Processes that end meanwhile, and those of other users, show nothing. */
function contentOf(pid: number, part: string): string {
  try {
    return readFileSync(`/proc/${pid}/${part}`, 'utf8');
  } catch {
    return '';
  }
}
