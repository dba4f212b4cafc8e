import { aptInstall } from './apt-install.js';
import { exchange } from './exchange.js';
import { findProgram } from './find-program.js';
import { DatabaseProcess } from './database-process.js';

/** A Redis server that answers at a URL. */
export interface RedisServer {
  readonly url: string;
  /** Ends a server that was started for this caller; leaves one that was named to it. */
  stop(): Promise<void>;
}

/** A Redis server of this caller alone, which it may kill. */
export interface PrivateRedisServer extends RedisServer {
  /** The folder of all its data. */
  readonly root: string;
  /** The pid of the server; undefined while it does not run. */
  readonly pid: number | undefined;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data; one that runs is asked to end first. */
  restart(): Promise<void>;
}

/**
 * Gives a Redis for tests: the one `MCPINFRA_TEST_REDIS_URL` names, or else a private one.
 *
 * @throws ServiceUnavailable with the reason, when there is none and none can be started.
 */
export async function startRedis(): Promise<RedisServer> {
  const url = process.env['MCPINFRA_TEST_REDIS_URL'];
  if (url === undefined || url === '') return await startPrivateRedis();
  return { url, stop: async () => {} };
}

/**
 * Starts a Redis of the caller's own, from a redis-server of this machine or of Debian's packages.
 *
 * It writes every change to its file before it answers, so that nothing it acknowledged is lost when it is killed.
 *
 * @throws ServiceUnavailable with the reason, when that cannot be.
 */
export async function startPrivateRedis(): Promise<PrivateRedisServer> {
  const program = async () => findProgram('redis-server');
  const binary = (await program()) ?? (await aptInstall('Redis', { packages: ['redis-server'], program }));
  const server = await DatabaseProcess.start({
    kind: 'redis',
    account: undefined,
    endSignal: 'SIGTERM',
    command: (root, port) => {
      const settings = { port, bind: '127.0.0.1', dir: root, daemonize: 'no', save: '', appendonly: 'yes' };
      return [binary, ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])];
    },
    isReady: async (port) => (await exchange(port, 'PING\r\n')).toString() === '+PONG\r\n',
  });
  return Object.assign(server, { url: `redis://127.0.0.1:${server.port}` });
}
