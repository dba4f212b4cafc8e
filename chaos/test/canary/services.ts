import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type PrivateDockerEngine,
  type PrivatePostgresServer,
  type PrivateRedisServer,
  seedImages,
  startPrivateDockerEngine,
  startPrivatePostgres,
  startPrivateRedis,
} from '@mcpinfra/tools';
import { of } from './doors.js';
import type { Ledger } from './ledger.js';
import { seeEngine, seeFiles, seeProcesses, seeTables } from './outside.js';
import { type Remote, startRemote } from './remote.js';

/** Whatever a fleet may write to. */
export interface Services {
  readonly postgres: PrivatePostgresServer;
  readonly redis: PrivateRedisServer;
  readonly engine: PrivateDockerEngine;
  readonly remote: Remote;
  /** On a tmpfs. */
  readonly secretDir: string;
  stop(): Promise<void>;
}

export async function startServices(): Promise<Services> {
  const undo: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const postgres = await startPrivatePostgres();
    undo.push(() => postgres.stop());
    const redis = await startPrivateRedis({ password: of('redis password') });
    undo.push(() => redis.stop());
    const engine = await startPrivateDockerEngine();
    undo.push(() => engine.stop());
    await seedImages(engine, ['mcp/test:latest', 'mcp/hostile:latest']);
    const remote = await startRemote(of('access token'));
    undo.push(() => remote.stop());
    const secretDir = await mkdtemp('/dev/shm/mcpinfra-canary-');
    undo.push(() => rm(secretDir, { recursive: true, force: true }));
    return { postgres, redis, engine, remote, secretDir, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Looks at all they keep. Redis writes every command that changes anything to its file. */
export async function seeServices(ledger: Ledger, services: Services): Promise<void> {
  const { postgres, redis, engine, secretDir } = services;
  await seeEngine(ledger, engine.socketPath);
  await seeProcesses(ledger);
  await seeFiles(ledger, 'engine file', engine.root);
  await seeFiles(ledger, 'redis file', redis.root);
  await seeFiles(ledger, 'postgres file', postgres.root);
  await seeFiles(ledger, 'secret file', secretDir);
  await seeTables(ledger, postgres.url);
  // The services of other tests are large and none of ours.
  const temporary = (await readdir(tmpdir())).filter((name) =>
    /^mcpinfra-(?!docker-|postgres-|redis-)/u.test(name),
  );
  for (const name of temporary) await seeFiles(ledger, 'temporary file', join(tmpdir(), name));
}
