import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
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
import { MemberProcess } from './member-process.js';
import type { MemberConfig } from './member-protocol.js';

/** Everything that can be killed. */
export interface Fleet extends AsyncDisposable {
  readonly folder: string;
  readonly handledFile: string;
  readonly postgres: PrivatePostgresServer;
  readonly redis: PrivateRedisServer;
  readonly engine: PrivateDockerEngine;
  readonly api: MemberProcess;
  readonly workers: readonly MemberProcess[];
}

/** Starts the services, the API process and the workers, each with data of its own. */
export async function startFleet(workerCount: number, signal: AbortSignal): Promise<Fleet> {
  const folder = mkdtempSync(join(tmpdir(), 'mcpinfra-chaos-'));
  const undo: (() => Promise<void>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
  const end = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const postgres = await startPrivatePostgres();
    undo.push(() => postgres.stop());
    const redis = await startPrivateRedis();
    undo.push(() => redis.stop());
    const engine = await startPrivateDockerEngine();
    undo.push(() => engine.stop());
    await seedImages(engine, ['mcp/test:latest']);
    const config = {
      postgresUrl: postgres.url,
      redisUrl: redis.url,
      dockerSocket: engine.socketPath,
      peerKey: randomBytes(32).toString('hex'),
      handledFile: join(folder, 'handled'),
    };
    const member = (role: MemberConfig['role'], name: string): MemberProcess => {
      const process = new MemberProcess({ ...config, role, logFile: join(folder, `${name}.log`) });
      undo.push(async () => process.kill());
      return process;
    };
    const api = member('api', 'api');
    const workers = Array.from({ length: workerCount }, (_, n) => member('worker', `worker-${String(n)}`));
    await Promise.all([api, ...workers].map((process) => process.start(signal)));
    return {
      folder,
      handledFile: config.handledFile,
      postgres,
      redis,
      engine,
      api,
      workers,
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}
