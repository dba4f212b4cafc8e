import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
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
  /** Where TLS is on: the certificate to trust, PEM. */
  readonly certificate: string | undefined;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data; one that runs is asked to end first. */
  restart(): Promise<void>;
}

export interface PrivateRedisOptions {
  /** What clients have to say first. @defaultValue nothing */
  readonly password?: string;
  /** Whether it speaks TLS, and nothing else. @defaultValue false */
  readonly tls?: boolean;
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
export async function startPrivateRedis(options: PrivateRedisOptions = {}): Promise<PrivateRedisServer> {
  const { password, tls = false } = options;
  const program = async () => findProgram('redis-server');
  const binary = (await program()) ?? (await aptInstall('Redis', { packages: ['redis-server'], program }));
  const server = await DatabaseProcess.start({
    kind: 'redis',
    account: undefined,
    endSignal: 'SIGTERM',
    prepare: async (root) => (tls ? createCertificate(root) : undefined),
    command: (root, port) => {
      const settings = {
        ...(tls ? tlsSettings(root, port) : { port }),
        ...(password !== undefined && { requirepass: password }),
        bind: '127.0.0.1',
        dir: root,
        daemonize: 'no',
        save: '',
        appendonly: 'yes',
      };
      return [binary, ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])];
    },
    isReady: async (port) => {
      const login = password === undefined ? '' : `AUTH "${password}"\r\n`;
      const dial = tls ? dialTls : undefined;
      return (await exchange(port, `${login}PING\r\n`, dial)).toString().endsWith('+PONG\r\n');
    },
  });
  const credentials = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
  return Object.assign(server, {
    url: `${tls ? 'rediss' : 'redis'}://${credentials}127.0.0.1:${server.port}`,
    certificate: tls ? await readFile(join(server.root, 'redis.crt'), 'utf8') : undefined,
  });
}

function tlsSettings(root: string, port: number): Readonly<Record<string, string | number>> {
  return {
    port: 0,
    'tls-port': port,
    'tls-cert-file': join(root, 'redis.crt'),
    'tls-key-file': join(root, 'redis.key'),
    'tls-ca-cert-file': join(root, 'redis.crt'),
    'tls-auth-clients': 'no',
  };
}

/** One that is its own authority, for 127.0.0.1. */
async function createCertificate(root: string): Promise<void> {
  const program = async () => findProgram('openssl');
  const openssl = (await program()) ?? (await aptInstall('Redis', { packages: ['openssl'], program }));
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', join(root, 'redis.key'), '-out', join(root, 'redis.crt')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await promisify(execFile)(openssl, ['req', '-x509', '-days', '2', ...key, ...subject, ...files]);
}

function dialTls(port: number, host: string): Socket {
  const socket = connect({ port, host, rejectUnauthorized: false });
  // Read only by whoever waits for an answer.
  socket.on('error', () => {});
  return socket;
}
