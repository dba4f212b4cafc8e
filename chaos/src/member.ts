// One process of the fleet: the API process answers requests, a worker makes true what is wanted.

import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMCPInfra, MCPInfraError } from '@mcpinfra/core';
import type { Logger } from '@mcpinfra/core/plugin';
import { redisEvents } from '@mcpinfra/events-redis';
import { dockerProvider } from '@mcpinfra/provider-docker';
import { postgresStore } from '@mcpinfra/store-postgres';
import pg from 'pg';
import {
  type Answer,
  auditGroups,
  groupOf,
  healthCheck,
  type ListedInstance,
  type MemberConfig,
  type Request,
  type SentRequest,
  tenants,
  type ToldHealth,
} from './member-protocol.js';

const config = JSON.parse(process.env['CHAOS_MEMBER'] ?? 'null') as MemberConfig;
const group = auditGroups[config.role];
const poolSize = 10;

const pool = new pg.Pool({ connectionString: config.postgresUrl, max: poolSize });
// A connection that ends while nobody uses it is the pool's to replace; without a listener it would end the process.
pool.on('error', ignore);
const infra = createMCPInfra({
  roles: config.role === 'api' ? ['control'] : ['worker'],
  providers: [dockerProvider({ socketPath: config.dockerSocket })],
  store: postgresStore({ pool }),
  events: redisEvents({ url: config.redisUrl }),
  peer: {
    key: config.peerKey,
    ...(config.role === 'worker' ? { listen: { host: '127.0.0.1', port: 0 } } : {}),
  },
  logger: fileLogger(config.logFile),
});

await start();
process.on('message', (sent: SentRequest) => void reply(sent));
// Nobody is left to speak to, nor to end this process.
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => void infra.stop().finally(() => process.exit()));
process.send?.('ready');

/** A database that is away is no reason to give up: whoever runs a service would start it again. */
async function start(): Promise<void> {
  await infra.start();
  await infra.events.subscribe({ group, from: 'beginning' }, ({ id }) => note(`${group} ${id}`));
  for (const tenant of tenants) {
    const options = { group: groupOf(group, tenant), from: 'beginning' } as const;
    await infra.scope({ tenant }).events.subscribe(options, (event) => {
      const isOwn = event.tenant === tenant;
      note(isOwn ? `${options.group} ${event.id}` : `overheard ${event.type} of ${event.tenant}`);
    });
  }
}

function note(line: string): void {
  appendFileSync(config.handledFile, `${line}\n`);
}

async function reply({ number, key, tenant, request }: SentRequest): Promise<void> {
  let answer: Answer;
  try {
    answer = { number, ok: true, result: await perform(request, infra.scope({ tenant }).instances, key) };
  } catch (error) {
    const code = MCPInfraError.isInstance(error) ? error.code : 'INTERNAL';
    answer = { number, ok: false, code, message: String(error) };
  }
  // Whoever asked may be gone.
  process.send?.(answer, undefined, undefined, () => undefined);
}

async function perform(
  request: Request,
  instances: (typeof infra)['instances'],
  idempotencyKey: string,
): Promise<unknown> {
  switch (request.ask) {
    case 'create': {
      const http = { port: 8000, command: ['--http', '--host', '0.0.0.0', '--port', '8000'] };
      const jsonSpec = {
        type: 'docker',
        image: 'mcp/test:latest',
        lifecycle: { stop_grace: 2 },
        health_check: healthCheck,
        ...(request.transport === 'http' ? http : {}),
      } as const;
      return (await instances.create({ name: request.name, jsonSpec }, { idempotencyKey })).id;
    }
    case 'update': {
      const jsonSpec = { environment: { CHAOS: request.value } };
      return (await instances.update(request.id, { jsonSpec }, { idempotencyKey })).id;
    }
    case 'call': {
      const { content } = await instances.callTool(request.id, 'echo', { text: 'alive' });
      return JSON.stringify(content).includes('alive');
    }
    case 'list':
      return list(instances);
    case 'health':
      return health();
    case 'hold-pool':
      return holdPool(request.forMs);
    case 'stop':
    case 'start':
    case 'restart':
    case 'delete':
      await instances[request.ask](request.id, { idempotencyKey });
      return request.id;
  }
}

async function list(instances: (typeof infra)['instances']): Promise<readonly ListedInstance[]> {
  const listed: ListedInstance[] = [];
  for await (const instance of instances.all()) {
    const { id, name, slug, status, statusDetail, generation, observedGeneration } = instance;
    const { reason, message, health } = statusDetail;
    const settled = generation === observedGeneration;
    listed.push({ id, name, slug, status, reason, message, health: health.state, settled });
  }
  return listed;
}

async function health(): Promise<ToldHealth> {
  const { status, degraded } = await infra.health();
  return { status, degraded: Object.fromEntries(degraded.map(({ part, message }) => [part, message])) };
}

/** As another part of the host might, whose queries hang. */
async function holdPool(forMs: number): Promise<void> {
  const taken = Array.from({ length: poolSize }, async () => {
    const client = await pool.connect();
    // As every host has to: a client that is lent tells of its lost connection by an event.
    client.on('error', ignore);
    return client;
  });
  // Refused while this sleeps, it is nobody's.
  for (const client of taken) client.catch(ignore);
  await sleep(forMs);
  for (const client of taken) {
    client.then((connected) => {
      connected.removeListener('error', ignore);
      connected.release();
    }, ignore);
  }
}

function fileLogger(path: string): Logger {
  const write =
    (level: string) =>
    (message: string, fields?: object): void => {
      const at = new Date().toISOString();
      appendFileSync(path, `${JSON.stringify({ at, pid: process.pid, level, message, fields })}\n`);
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

function ignore(): void {
  // Whoever asked is told by a rejection.
}
