import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import type { Fleet } from './fleet.js';
import { healthCheck, type ListedInstance } from './member-protocol.js';
import type { Outage, Outages } from './outages.js';
import { untouched } from './schedule.js';
import { seconds } from './seconds.js';

const everyMs = 500;
/**
 * So long a server that answers nothing may be called healthy: its checks, and what a machine with much to do adds.
 *
 * @internal
 */
export const trustMs = (healthCheck.interval * healthCheck.retries + healthCheck.timeout) * 1_000 + 8_000;
/** So long its check may be nobody's after something else was wrong: a lease's time, and a comparison of everything. */
const takeoverMs = 20_000;

/**
 * Stops all processes of a running server that nobody changes, for a while, and watches what is said of it.
 *
 * @returns a sentence when it was called healthy for too long
 */
export async function freezeServer(
  fleet: Fleet,
  outages: Outages,
  { which, forMs }: { readonly which: number; readonly forMs: number },
): Promise<readonly string[]> {
  const server = await pick(fleet, which).catch(() => undefined);
  if (!server) return [];
  for (const pid of server.pids) signal(pid, 'SIGSTOP');
  const stopBy = performance.now() + 1_000;
  while (!server.pids.every(isStopped) && performance.now() < stopBy) await sleep(10);
  outages.count('server-frozen');
  const fromMs = outages.nowMs;
  const wrong = new Set<string>();
  let wasHealthy = false;
  while (outages.nowMs < fromMs + forMs && server.pids.some(isStopped)) {
    const listed = await look(fleet, server.instanceId);
    const nowMs = outages.nowMs;
    const isHealthy = listed?.status === 'running' && listed.health === 'healthy';
    if (listed && wasHealthy && !isHealthy)
      console.log(
        `${seconds(nowMs).padStart(8)}  ${listed.name}, frozen at ${seconds(fromMs)}, is ${listed.status} ${listed.reason}`,
      );
    wasHealthy = isHealthy;
    if (isHealthy && server.pids.some(isStopped) && isTrustedTooLong(fromMs, nowMs, outages.all))
      wrong.add(`${listed.name} is called healthy, though it answers nothing since ${seconds(fromMs)}`);
    await sleep(everyMs);
  }
  for (const pid of server.pids) signal(pid, 'SIGCONT');
  return [...wrong];
}

/**
 * Whether so long a silence must have been noticed: nothing else was wrong that keeps a check from being made or noted.
 *
 * @internal
 */
export function isTrustedTooLong(fromMs: number, nowMs: number, outages: readonly Outage[]): boolean {
  const inTheWay = outages.filter(({ of, fromMs: beganMs }) => of !== 'event-bus' && beganMs <= nowMs);
  const calmMs = Math.max(-Infinity, ...inTheWay.map(({ toMs }) => toMs + takeoverMs));
  return nowMs > Math.max(fromMs, calmMs) + trustMs;
}

async function pick(
  { engine }: Fleet,
  which: number,
): Promise<{ readonly instanceId: string; readonly pids: readonly number[] } | undefined> {
  const docker = new Docker({ socketPath: engine.socketPath });
  const filters = { label: ['io.mcpinfra.fleet'], name: [`mcp-${untouched}-`] };
  const containers = await docker.listContainers({ filters });
  const container = containers[which % Math.max(1, containers.length)];
  if (!container) return undefined;
  // The first process of the container only waits for the server.
  const top = (await docker.getContainer(container.Id).top()) as {
    readonly Titles: string[];
    readonly Processes: string[][];
  };
  const column = top.Titles.indexOf('PID');
  return {
    instanceId: container.Labels['io.mcpinfra.instance'] ?? '',
    pids: top.Processes.map((line) => Number(line[column])),
  };
}

async function look({ api }: Fleet, id: string): Promise<ListedInstance | undefined> {
  try {
    const listed = (await api.ask({ ask: 'list' })) as readonly ListedInstance[];
    return listed.find((instance) => instance.id === id);
  } catch {
    // Nobody says anything now.
    return undefined;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has been replaced.
  }
}

function isStopped(pid: number): boolean {
  try {
    return /^State:\s+T/mu.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch {
    return false;
  }
}
