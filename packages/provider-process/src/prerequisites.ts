import { readFile } from 'node:fs/promises';
import type { Prerequisite } from '@mcpinfra/core/plugin';
import { processTable } from './process-table.js';

// Three pipes for each server, and some for the channel and probes of each.
const filesPerServer = 8;

/** Tells what servers can count on here. */
export async function checkPrerequisites(): Promise<readonly Prerequisite[]> {
  const table = processTable();
  if (table !== 'ours') {
    const why =
      table === 'foreign'
        ? '/proc shows the processes of another pid namespace: mount that of this one (mount -t proc proc /proc, or unshare --mount-proc). Until then'
        : 'Only the /proc of Linux shows the processes of others: here';
    const message = `${why} limits are not kept, and children that leave the process group of a server, or whose host was killed, are not ended.`;
    return [{ name: 'process table', ok: false, message }];
  }
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  return [
    { name: 'process table', ok: true, message: '/proc shows processes and their environment.' },
    limitOf(limits, 'Max processes', 1),
    limitOf(limits, 'Max open files', filesPerServer),
  ];
}

function limitOf(limits: string, name: string, perServer: number): Prerequisite {
  const soft = limits
    .split('\n')
    .find((line) => line.startsWith(name))
    ?.slice(name.length)
    .trim()
    .split(/\s+/u)[0];
  const label = name.toLowerCase();
  if (soft === undefined || soft === 'unlimited') return { name: label, ok: true, message: 'No limit.' };
  const servers = Math.floor(Number(soft) / perServer);
  const ok = servers >= 100;
  return {
    name: label,
    ok,
    message: ok ? `At most ${soft}.` : `At most ${soft}; raise it with ulimit for many servers.`,
  };
}
