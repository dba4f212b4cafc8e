import { finishingClock, sleep } from '@mcpinfra/core/plugin';
import type { CopyMarks } from './copy-marks.js';
import { signalGroup } from './process-group.js';
import {
  canSeeProcesses,
  listPids,
  readMarks,
  readProcess,
  walkPids,
  type ProcessEntry,
} from './process-table.js';

/** A process that carries marks. */
export interface Bearer extends ProcessEntry {
  readonly marks: CopyMarks;
}

/** Finds every living process whose marks are meant. */
export async function findBearers(isMeant: (marks: CopyMarks) => boolean): Promise<Bearer[]> {
  const bearers: Bearer[] = [];
  for await (const pid of walkPids()) {
    const bearer = readBearer(pid, isMeant);
    if (bearer) bearers.push(bearer);
  }
  return bearers;
}

function readBearer(pid: number, isMeant: (marks: CopyMarks) => boolean): Bearer | undefined {
  if (pid === process.pid) return undefined;
  const marks = readMarks(pid);
  if (!marks || !isMeant(marks)) return undefined;
  const entry = readProcess(pid);
  return entry && { ...entry, marks };
}

/** What makes a process one of a copy's. */
export interface Membership {
  /** Recognises the marks. */
  readonly isMeant: (marks: CopyMarks) => boolean;
  /** The session made for the copy, where it was started here. */
  readonly session?: number | undefined;
}

/**
 * Finds every living process of a copy: those that carry its marks, and those that wrote over their environment, as
 * programs do that set their title, but share a session with a bearer. A session is made for every copy, and its
 * number is not given again while a process is in it.
 */
async function findMembers(membership: Membership): Promise<ProcessEntry[]> {
  const bearers = await findBearers(membership.isMeant);
  const sessions = new Set(bearers.map((bearer) => bearer.session));
  if (membership.session !== undefined && isLeft(membership.session)) sessions.add(membership.session);
  // Marks handed on to a process of the host's own session must not take the host with them.
  sessions.delete(readProcess(process.pid)?.session ?? 0);
  if (sessions.size === 0) return bearers;
  const known = new Set(bearers.map((bearer) => bearer.pid));
  const members: ProcessEntry[] = [...bearers];
  for await (const pid of walkPids()) {
    const entry = known.has(pid) ? undefined : readProcess(pid);
    if (entry && sessions.has(entry.session)) members.push(entry);
  }
  return members;
}

/** Kills every bearer of marks once, for a host that is going down and cannot wait. */
export function killBearersNow(isMeant: (marks: CopyMarks) => boolean): void {
  for (const pid of listPids()) {
    const bearer = readBearer(pid, isMeant);
    if (bearer) signalProcess(bearer, 'SIGKILL');
  }
}

/**
 * Ends every process of a copy that was not started here: asks them to, and kills what is left after the grace.
 *
 * @returns the pids of those that did not end
 */
export async function endMembers(membership: Membership, graceMs: number): Promise<number[]> {
  const killAtMs = performance.now() + graceMs;
  const asked = graceMs > 0 ? await findMembers(membership) : [];
  for (const member of asked) signalProcess(member, 'SIGTERM');
  while (performance.now() < killAtMs && asked.some(isAlive)) await sleep(finishingClock, 20);
  return killMembers(membership);
}

/**
 * Kills every process of a copy whose leader has ended, until none is left.
 *
 * Children may be made while it looks, hence the rounds; a process that the system cannot end, hence their limit.
 *
 * @returns the pids of those that did not end
 */
export async function killMembers(membership: Membership): Promise<number[]> {
  // Elsewhere there is only the group, and nothing that says whose a process is.
  if (!canSeeProcesses() && membership.session !== undefined) signalGroup(membership.session, 'SIGKILL');
  const deadline = performance.now() + 5_000;
  for (let waitMs = 2; ; waitMs = Math.min(waitMs * 2, 100)) {
    const members = await findMembers(membership);
    if (members.length === 0 || performance.now() > deadline) return members.map((member) => member.pid);
    for (const member of members) signalProcess(member, 'SIGKILL');
    await sleep(finishingClock, waitMs);
  }
}

// The leader was waited for: whoever has its number now began later, and its session can have nobody of ours.
function isLeft(session: number): boolean {
  return readProcess(session) === undefined;
}

function isAlive(member: ProcessEntry): boolean {
  return readProcess(member.pid)?.startTicks === member.startTicks;
}

function signalProcess(member: ProcessEntry, signal: NodeJS.Signals): void {
  // The pid may have been given to another process since it was read.
  if (!isAlive(member)) return;
  try {
    process.kill(member.pid, signal);
  } catch {
    // It ended by itself, or it is another user's and shows up as left.
  }
}
