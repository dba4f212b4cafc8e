import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  seedImages,
  startPrivateDockerEngine,
  startPrivatePostgres,
  startPrivateRedis,
} from '@mcpinfra/tools';
import { closeLinks, openLinks, type Services } from './links.js';
import { MemberProcess } from './member-process.js';
import type { MemberConfig } from './member-protocol.js';

/** Everything that can be killed, and the ways between. */
export interface Fleet extends Services, AsyncDisposable {
  readonly folder: string;
  readonly handledFile: string;
  readonly api: MemberProcess;
  readonly workers: readonly MemberProcess[];
  /** All processes: the API process and the workers. */
  readonly members: readonly MemberProcess[];
}

/** So long its processes may take until all of them work, in milliseconds. */
const longestStartMs = 60_000;

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
    const services = { postgres, redis, engine };
    const shared = { peerKey: randomBytes(32).toString('hex'), handledFile: join(folder, 'handled') };
    const member = async (role: MemberConfig['role'], name: string): Promise<MemberProcess> => {
      const { links, addresses } = await openLinks(services, { folder, name });
      undo.push(() => closeLinks(links));
      const config = { ...shared, ...addresses, role, logFile: join(folder, `${name}.log`) };
      const process = new MemberProcess(name, links, config);
      undo.push(async () => process.kill());
      return process;
    };
    const api = await member('api', 'api');
    const workers = await Promise.all(
      Array.from({ length: workerCount }, (_, n) => member('worker', `worker-${String(n)}`)),
    );
    const members = [api, ...workers];
    const isUp = Promise.all(members.map((process) => process.start(signal))).then(() => true);
    if (!(await Promise.race([isUp, sleep(longestStartMs, false, { ref: false })])))
      throw new Error(
        `The fleet did not start within ${String(longestStartMs)} ms: see what its processes printed.`,
      );
    return {
      ...services,
      folder,
      handledFile: shared.handledFile,
      api,
      workers,
      members,
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}
