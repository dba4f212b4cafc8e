import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createMCPInfra, type MCPInfra } from '@mcpinfra/core';
import { redisEvents } from '@mcpinfra/events-redis';
import { urlProvider } from '@mcpinfra/provider-url';
import { postgresStore } from '@mcpinfra/store-postgres';
import { startPostgres } from '@mcpinfra/tools';

const program = fileURLToPath(new URL('fleet-member.js', import.meta.url));
const workers = 3;
const wishesEach = 60;
const apartMs = 50;
const patienceMs = 30_000;

/**
 * Kills each worker of a fleet in turn with SIGKILL while instances are created, the one that publishes among them, and
 * takes the times from each wish to the first word of a worker to the instance's server.
 *
 * @returns the 99th percentile, in milliseconds; `Infinity` where a wish was lost
 */
export async function wishP99OverAKill(redisUrl: string): Promise<number> {
  const postgres = await startPostgres();
  const met = new Map<string, number>();
  const server = await listen((path) => met.set(path, met.get(path) ?? performance.now()));
  const schema = `bench_${randomBytes(6).toString('hex')}`;
  const infra = createMCPInfra({
    roles: ['control'],
    providers: [urlProvider({ allow: ['loopback'] })],
    store: postgresStore({ connectionString: postgres.url, schema }),
    events: redisEvents({ url: redisUrl }),
  });
  const members: ChildProcess[] = [];
  const join = async (): Promise<void> => {
    const stdio = ['ignore', 'pipe', 'inherit'] as const;
    const child = spawn(process.execPath, [program, postgres.url, schema, redisUrl], { stdio: [...stdio] });
    members.push(child);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
  };
  try {
    await infra.start();
    for (let n = 0; n < workers; n += 1) await join();
    const times: number[] = [];
    for (let n = 0; n < workers; n += 1) {
      // Until each has its share.
      await sleep(6_000);
      members.shift()?.kill('SIGKILL');
      times.push(...(await wishes(infra, { met, port: portOf(server), round: n })));
      await join();
    }
    return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Infinity;
  } finally {
    for (const child of members) child.kill('SIGKILL');
    await infra.stop();
    server.close();
    server.closeAllConnections();
    await postgres.stop();
  }
}

interface Wishing {
  readonly met: ReadonlyMap<string, number>;
  readonly port: number;
  readonly round: number;
}

/** How long each wish waits for a worker, those made right after the kill. */
async function wishes(infra: MCPInfra, { met, port, round }: Wishing): Promise<number[]> {
  const wished = new Map<string, number>();
  for (let n = 0; n < wishesEach; n += 1) {
    const path = `/${round}/${n}`;
    const jsonSpec = { type: 'url', endpoint: `http://127.0.0.1:${port}${path}` };
    await infra.instances.create({ name: `wish-${round}-${n}`, jsonSpec });
    wished.set(path, performance.now());
    await sleep(apartMs);
  }
  for (const end = performance.now() + patienceMs; performance.now() < end;) {
    if ([...wished.keys()].every((path) => met.has(path))) break;
    await sleep(50);
  }
  return [...wished].map(([path, at]) => Math.max(0, (met.get(path) ?? Infinity) - at));
}

/** A server that only notes which path is asked for. */
async function listen(onPath: (path: string) => void): Promise<Server> {
  const server = createServer((request, response) => {
    onPath(request.url ?? '');
    response.writeHead(503).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
