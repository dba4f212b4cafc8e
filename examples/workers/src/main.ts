// The API process of a fleet, with three workers beside it. It creates instances, then ends one worker in order and kills
// another, and tells how long it takes until every server answers again.

import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type PostgresServer,
  type RedisServer,
  ServiceUnavailable,
  startPostgres,
  startRedis,
} from '@mcpinfra/tools';
import { createFleet, type FleetConfig } from './create-fleet.js';

const names = ['ada', 'bob', 'cyd', 'dan', 'eve', 'fay'];
const script = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'));

try {
  const services = await startServices();
  try {
    await demonstrate({
      postgresUrl: services.postgres.url,
      redisUrl: services.redis.url,
      peerKey: randomBytes(32).toString('hex'),
    });
  } finally {
    await services.redis.stop();
    await services.postgres.stop();
  }
} catch (error) {
  if (!(error instanceof ServiceUnavailable)) throw error;
  console.log(`SKIPPED: ${error.message}`);
}

async function demonstrate(config: FleetConfig): Promise<void> {
  const workers = await Promise.all(['one', 'two', 'three'].map(() => startWorker(config)));
  const infra = createFleet('control', config);
  const ids: string[] = [];
  try {
    await infra.start();
    infra.events.on('MCPServerInstanceStatusChanged', ({ data }) => {
      console.log(`  ${data.name}  ${data.from} → ${data.to}`);
    });
    for (const name of names) {
      const jsonSpec = { type: 'process', command: ['node', script] } as const;
      ids.push((await infra.instances.create({ name, jsonSpec })).id);
    }
    const signal = AbortSignal.timeout(60_000);
    await Promise.all(ids.map((id) => infra.instances.waitUntilReady(id, { signal })));
    console.log(`${String(ids.length)} servers answer, run by ${String(workers.length)} workers`);
    await untilAllAnswer(infra, ids);

    const [first, second] = workers;
    const handedOver = await timeToRecover('SIGTERM', first);
    console.log(`one worker was ended: all answer after ${handedOver}`);
    const takenOver = await timeToRecover('SIGKILL', second);
    console.log(`another was killed: all answer after ${takenOver}`);

    await Promise.all(ids.map((id) => infra.instances.delete(id, { wait: true })));
    console.log(
      `workers ok: ${String(ids.length)} servers, handed over in ${handedOver}, taken over in ${takenOver}`,
    );
  } finally {
    await Promise.all(workers.map(endWorker));
    await infra.stop();
  }

  /** Ends a worker and waits until every server answers without it. */
  async function timeToRecover(signal: NodeJS.Signals, worker: ChildProcess | undefined): Promise<string> {
    const started = performance.now();
    if (worker?.kill(signal) === true) await once(worker, 'exit');
    await untilAllAnswer(infra, ids);
    return `${((performance.now() - started) / 1_000).toFixed(1)} s`;
  }
}

/** Calls a tool of every server, again and again, until all have answered in one round. */
async function untilAllAnswer(infra: ReturnType<typeof createFleet>, ids: readonly string[]): Promise<void> {
  const started = performance.now();
  for (;;) {
    const calls = ids.map((id) =>
      infra.instances.callTool(id, 'get-sum', { a: 19, b: 23 }, { signal: AbortSignal.timeout(5_000) }),
    );
    const results = await Promise.allSettled(calls);
    if (results.every(({ status }) => status === 'fulfilled')) return;
    if (performance.now() - started > 60_000) throw new Error(`No answer: ${JSON.stringify(results)}`);
    await sleep(50);
  }
}

async function startServices(): Promise<{ readonly postgres: PostgresServer; readonly redis: RedisServer }> {
  const postgres = await startPostgres();
  try {
    return { postgres, redis: await startRedis() };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function startWorker(config: FleetConfig): Promise<ChildProcess> {
  const worker = fork(fileURLToPath(new URL('worker.js', import.meta.url)), {
    env: { ...process.env, FLEET: JSON.stringify(config) },
  });
  await Promise.race([
    once(worker, 'message'),
    once(worker, 'exit').then(() => {
      throw new Error('A worker ended at its start.');
    }),
  ]);
  return worker;
}

async function endWorker(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  worker.kill('SIGTERM');
  await once(worker, 'exit');
}
