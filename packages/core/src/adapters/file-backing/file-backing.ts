import { randomBytes, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type FileLock, lockFile, mcpError, normaliseError } from '../../plugin.js';
import type { Backing, OpenBacking } from '../memory-store/backing.js';
import { Committed } from '../memory-store/committed.js';
import { Layer } from '../memory-store/layer.js';
import { removeDrafts } from './draft-file.js';
import { isErrno } from './errno.js';
import { FileCommits } from './file-commits.js';
import { Journal } from './journal.js';
import { readStoreFile, type StoreContent } from './read-store-file.js';
import { refuseOtherNames } from './refuse-other-names.js';
import { refuseUnreadable, rowsToJson } from './rows-json.js';
import { snapshotRecords } from './snapshot.js';
import type { StoreHead } from './store-head.js';

// As much as a large row: a few bytes may fit where no row does any more.
const triedLength = 16 * 1024;

/** Keeps everything in one file, which one process at a time may use. */
export function fileBacking(file: string, fleet: string | undefined): Backing {
  return {
    async open(applied) {
      try {
        const path = await realPath(file);
        await mkdir(dirname(path), { recursive: true });
        const lock = await lockFile(`${path}.lock`);
        try {
          return await openLocked({ path, fleet, applied, lock });
        } catch (error) {
          await lock.release();
          throw error;
        }
      } catch (error) {
        throw normaliseError(error, 'STORE_FAILED', `The store could not open ${file}`);
      }
    },
  };
}

interface Opening {
  readonly path: string;
  readonly fleet: string | undefined;
  readonly applied: (changes: Layer) => void;
  readonly lock: FileLock;
}

async function openLocked({ path, fleet, applied, lock }: Opening): Promise<OpenBacking> {
  await removeDrafts(path);
  const file = await openIfThere(path);
  try {
    if (file) await refuseOtherNames(path, file);
    const { head, rows, journal: place } = file ? await readStoreFile(path, file) : emptyContent(fleet);
    refuseOtherFleet(path, { head, fleet });
    const committed = new Committed();
    committed.apply(rows);
    const parts = {
      path,
      isHeld: () => lock.isHeld(),
      snapshot: () => snapshotRecords(head, committed.layer),
    };
    // Whoever had the lock before may only have paused, and then goes on writing into the file that it has open.
    const isOurs = file !== undefined && place !== undefined && !lock.fromSilent;
    const journal = isOurs ? new Journal(parts, { file, place }) : await Journal.create(parts);
    if (!isOurs) await file?.close();
    const commits = new FileCommits({
      file: path,
      committed,
      prepare: refuseUnreadable,
      append: (changes) => journal.append(rowsToJson(changes)),
      // A record with none of the members that mean something.
      tryOut: () => journal.append({ tried: '.'.repeat(triedLength) }),
      applied: (changes) => {
        journal.renewIfDue();
        applied(changes);
      },
      release: async () => {
        await journal.close().finally(() => lock.release());
      },
    });
    return { identity: { ...head, durable: true }, committed, commits };
  } catch (error) {
    await file?.close();
    throw error;
  }
}

function refuseOtherFleet(
  path: string,
  { head, fleet }: { head: StoreHead; fleet: string | undefined },
): void {
  if (fleet === undefined || fleet === head.fleet) return;
  throw mcpError(
    'INVALID_OPTIONS',
    `${path} belongs to the fleet "${head.fleet}", but the option fleet says "${fleet}". What runs under the other ` +
      'name would be left without an owner: give the name in the file, or another file.',
  );
}

function emptyContent(fleet = `fleet-${randomBytes(6).toString('hex')}`): StoreContent {
  return { head: { storeId: randomUUID(), fleet }, rows: new Layer(), journal: undefined };
}

/** Follows a symbolic link, which replacing the file would otherwise replace. */
async function realPath(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return resolve(file);
    throw error;
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
