import { join } from 'node:path';
import type { PrivateDockerEngine, PrivatePostgresServer, PrivateRedisServer } from '@mcpinfra/tools';
import { FaultProxy } from './proxy/fault-proxy.js';

/** The services that the processes of a fleet share. */
export interface Services {
  readonly postgres: PrivatePostgresServer;
  readonly redis: PrivateRedisServer;
  readonly engine: PrivateDockerEngine;
}

/** What of the services says where they are. */
interface ReachedServices {
  readonly postgres: Pick<Services['postgres'], 'url'>;
  readonly redis: Pick<Services['redis'], 'url'>;
  readonly engine: Pick<Services['engine'], 'socketPath'>;
}

/** The ways of one process to its services, each of which can fail for this process alone. */
export interface Links {
  readonly postgres: FaultProxy;
  readonly redis: FaultProxy;
  readonly docker: FaultProxy;
}

/** Where a process reaches its services. */
export interface LinkAddresses {
  readonly postgresUrl: string;
  readonly redisUrl: string;
  readonly dockerSocket: string;
}

/** Puts a proxy before each service. The folder gets the engine's socket. */
export async function openLinks(
  { postgres, redis, engine }: ReachedServices,
  { folder, name }: { readonly folder: string; readonly name: string },
): Promise<{ readonly links: Links; readonly addresses: LinkAddresses }> {
  const at = { path: join(folder, `${name}.sock`) };
  const links = {
    postgres: await FaultProxy.start({ backend: portOf(postgres.url) }),
    redis: await FaultProxy.start({ backend: portOf(redis.url) }),
    docker: await FaultProxy.start({
      backend: { path: engine.socketPath },
      at,
      asksForStream: asksForEvents,
    }),
  };
  return {
    links,
    addresses: {
      postgresUrl: through(postgres.url, links.postgres),
      redisUrl: through(redis.url, links.redis),
      dockerSocket: at.path,
    },
  };
}

export async function closeLinks(links: Links): Promise<void> {
  await Promise.all(Object.values(links).map((proxy: FaultProxy) => proxy.close()));
}

function portOf(url: string): { readonly port: number } {
  return { port: Number(new URL(url).port) };
}

function through(url: string, { address }: FaultProxy): string {
  const at = new URL(url);
  if ('port' in address) at.port = String(address.port);
  return at.href;
}

/** The engine's events come as an answer without an end. */
function asksForEvents(request: Buffer): boolean {
  return /^GET (?:\/v[\d.]+)?\/events[ ?]/u.test(request.toString('latin1', 0, 64));
}
