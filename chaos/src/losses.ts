import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { exchange, type PrivatePostgresServer } from '@mcpinfra/tools';
import type { Fleet } from './fleet.js';
import type { Damage } from './outages.js';
import { withClient } from './postgres-client.js';
import type { Wishes } from './wishes.js';

/** So long a server is away that has lost something, in milliseconds. */
const awayMs = 300;

/** Redis loses everything, and goes on. */
export function emptied({ redis }: Fleet): Damage {
  return {
    forMs: 0,
    harm: async () => {
      const answer = await exchange(Number(new URL(redis.url).port), 'FLUSHALL\r\n');
      if (!answer.toString().startsWith('+OK')) throw new Error('Redis did not let itself be emptied.');
    },
    mend: async () => undefined,
  };
}

/** Redis comes back without what it took in so many milliseconds, as one does whose disk was behind. */
export function withoutTail({ redis, members }: Fleet, lostMs: number): Damage {
  const folders = { from: join(redis.root, 'appendonlydir'), kept: join(redis.root, 'kept') };
  return {
    outage: { of: 'event-bus', members: members.map(({ name }) => name), how: 'behind' },
    forMs: awayMs,
    prepare: async () => {
      // Of a log that grows a copy is its begin.
      await keep(folders);
      await sleep(lostMs);
    },
    harm: () => redis.kill(),
    mend: async () => {
      await putBack(folders);
      await redis.restart();
    },
  };
}

/**
 * The database comes back as it was so many milliseconds before, and its user with it: what was asked for meanwhile is
 * as if nobody had asked.
 */
export function restored({ postgres, members }: Fleet, wishes: Wishes, lostMs: number): Damage {
  const folders = { from: join(postgres.root, 'data'), kept: join(postgres.root, 'kept') };
  let goOn = (): void => undefined;
  let remembered = wishes.remember();
  return {
    outage: { of: 'store', members: members.map(({ name }) => name), how: 'restored' },
    forMs: awayMs,
    prepare: async () => {
      const asksAgain = await wishes.pause();
      try {
        remembered = wishes.remember();
        await backUp(postgres, folders);
      } finally {
        asksAgain();
      }
      await sleep(lostMs);
      goOn = await wishes.pause();
    },
    harm: () => postgres.kill(),
    mend: async () => {
      await putBack(folders);
      await postgres.restart();
      wishes.recall(remembered);
      goOn();
    },
  };
}

/** Somebody publishes all tables, ours too, so that each needs a key of its own. */
export function published({ postgres }: Fleet, forMs: number): Damage {
  const run = (statement: string) => withClient(postgres.url, (client) => client.query(statement));
  return {
    forMs,
    harm: async () => {
      await run('drop publication if exists chaos');
      await run('create publication chaos for all tables');
    },
    mend: async () => {
      await run('drop publication if exists chaos');
    },
  };
}

/** A folder, and where it is kept as it was. */
interface Folders {
  readonly from: string;
  readonly kept: string;
}

/** As `pg_basebackup` does it, which not every machine has. */
async function backUp(postgres: PrivatePostgresServer, { from, kept }: Folders): Promise<void> {
  await withClient(postgres.url, async (client) => {
    await client.query("select pg_backup_start('chaos', true)");
    await keep({ from, kept });
    const { rows } = await client.query<{ labelfile: string }>('select labelfile from pg_backup_stop(false)');
    const label = join(kept, 'backup_label');
    await writeFile(label, rows[0]?.labelfile ?? '');
    // The server, which is another user's, renames it.
    const { uid, gid } = await stat(from);
    await chown(label, uid, gid);
    // What makes the copy whole was written while it was made.
    await keep({ from: join(from, 'pg_wal'), kept: join(kept, 'pg_wal') });
  });
  await rm(join(kept, 'postmaster.pid'), { force: true });
}

/** Copies a folder that is written to; what goes meanwhile is not needed. */
async function keep({ from, kept }: Folders): Promise<void> {
  await rm(kept, { recursive: true, force: true });
  try {
    await promisify(execFile)('cp', ['--archive', from, kept], { env: { ...process.env, LC_ALL: 'C' } });
  } catch (error) {
    const said = (error as { readonly stderr?: string }).stderr ?? '';
    const isGone = (line: string): boolean => line === '' || line.includes('No such file');
    if (said === '' || !said.split('\n').every(isGone)) throw error;
  }
}

/** Once: what is put back already stays, however often this is tried. */
async function putBack({ from, kept }: Folders): Promise<void> {
  if (!existsSync(kept)) return;
  await rm(from, { recursive: true, force: true });
  await rename(kept, from);
}
