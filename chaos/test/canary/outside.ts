import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import Docker from 'dockerode';
import pg from 'pg';
import type { Ledger } from './ledger.js';

/** Looks at every container and network of an engine: environments apart from all else that `inspect` tells. */
export async function seeEngine(ledger: Ledger, socketPath: string): Promise<void> {
  const docker = new Docker({ socketPath });
  for (const listed of await docker.listContainers({ all: true })) {
    ledger.see('list of containers', listed);
    const container = await docker
      .getContainer(listed.Id)
      .inspect()
      .catch(() => undefined);
    if (container === undefined) continue;
    const { Env: environment, ...config } = container.Config;
    ledger.see('environment of a container', environment);
    ledger.see('container but for its environment', { ...container, Config: config });
  }
  for (const network of await docker.listNetworks())
    ledger.see(
      'network',
      await docker
        .getNetwork(network.Id)
        .inspect()
        .catch(() => undefined),
    );
}

/** Looks at the arguments and the environment of every process of this machine. */
export async function seeProcesses(ledger: Ledger): Promise<void> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/u.test(name));
  for (const pid of pids) {
    const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => '');
    ledger.see('arguments of a process', await read('cmdline'));
    const environment = await read('environ');
    const isServer = environment.includes('MCP_INSTANCE_ID=');
    ledger.see(`environment of ${isServer ? 'a server' : 'another process'}`, environment);
  }
}

/** Looks at every file below a folder; the place of a hit is the file. */
export async function seeFiles(ledger: Ledger, name: string, folder: string): Promise<void> {
  const forms = ledger.canaries.flatMap((canary) => canary.forms);
  // What is running is mounted there again, and a write-ahead log keeps what is in the tables.
  const without = ['--exclude-dir=merged', '--exclude-dir=pg_wal'];
  const grep = spawn('grep', ['-raosF', '-D', 'skip', ...without, '-f', '-', folder], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  grep.stdin.end(forms.join('\n'));
  for (const line of new Set((await text(grep.stdout)).split('\n')))
    ledger.see(`${name} ${line.slice(folder.length, line.lastIndexOf(':'))}`, line);
}

/** Looks at every row of every table of a database, as text. */
export async function seeTables(ledger: Ledger, connectionString: string): Promise<void> {
  const pool = new pg.Pool({ connectionString });
  try {
    const { rows: tables } = await pool.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname not in ('pg_catalog', 'information_schema')`,
    );
    for (const { name } of tables) {
      const { rows } = await pool.query<{ row: string }>(`select t::text as row from ${name} t`);
      ledger.see(`table ${name}`, rows.map(({ row }) => row).join('\n'));
    }
  } finally {
    await pool.end();
  }
}
