import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { lockFile, mcpError, normaliseError } from '../../plugin.js';
import type { Backing, OpenBacking } from '../memory-store/backing.js';
import { Committed } from '../memory-store/committed.js';
import { Layer } from '../memory-store/layer.js';
import { isErrno } from './errno.js';
import { FileCommits } from './file-commits.js';
import { removeDrafts, replaceFile } from './replace-file.js';
import { DocumentWriter, readDocument, type StoreDocument } from './store-document.js';

/** Keeps everything in one file, which one process at a time may use. */
export function fileBacking(file: string, fleet: string | undefined): Backing {
  return {
    async open(applied) {
      try {
        const path = await realPath(file);
        await mkdir(dirname(path), { recursive: true });
        const lock = await lockFile(`${path}.lock`);
        try {
          return await openLocked({ path, fleet, applied, release: () => lock.release() });
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
  readonly release: () => Promise<void>;
}

async function openLocked({ path, fleet, applied, release }: Opening): Promise<OpenBacking> {
  await removeDrafts(path);
  const text = await readIfThere(path);
  const { head, rows } = text === undefined ? emptyDocument(fleet) : readDocument(path, text);
  if (fleet !== undefined && fleet !== head.fleet) {
    throw mcpError(
      'INVALID_OPTIONS',
      `${path} belongs to the fleet "${head.fleet}", but the option fleet says "${fleet}". What runs under the other ` +
        'name would be left without an owner: give the name in the file, or another file.',
    );
  }
  const writer = new DocumentWriter();
  const write = (all: Layer): ReturnType<typeof replaceFile> =>
    replaceFile(path, writer.write({ head, rows: all }));
  if (text === undefined) {
    const result = await write(rows);
    if ('cause' in result)
      throw normaliseError(result.cause, 'STORE_FAILED', `The store could not make ${path}`);
  }
  const committed = new Committed();
  committed.apply(rows);
  return {
    identity: { ...head, durable: true },
    committed,
    commits: new FileCommits({
      file: path,
      committed,
      prepare: (changes) => writer.prepare(changes),
      write,
      applied,
      release,
    }),
  };
}

function emptyDocument(fleet = `fleet-${randomBytes(6).toString('hex')}`): StoreDocument {
  return { head: { storeId: randomUUID(), fleet }, rows: new Layer() };
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

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
