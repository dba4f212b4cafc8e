import { readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';

/** Reads the pid that the hostile server left, and has that process killed at the end of the test. */
export function readGrandchild(pidfile: string): number {
  const pid = Number(readFileSync(pidfile, 'utf8'));
  onTestFinished(() => {
    process.kill(pid, 'SIGKILL');
  });
  return pid;
}

/** The session a process belongs to: its own pid, if it called setsid. */
export function sessionOf(pid: number): number {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  return Number(fields.split(' ')[3]);
}

/** Whether a process has a handler of its own for SIGTERM. */
export function catchesSigterm(pid: number): boolean {
  const caught = /^SigCgt:\s*(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return (BigInt(`0x${caught}`) & (1n << 14n)) !== 0n;
}
