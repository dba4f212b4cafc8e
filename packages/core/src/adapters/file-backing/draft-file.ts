import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readdir, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { formatRecord } from './record-line.js';
import { writeFully } from './write-fully.js';

// The disk is kept busy in pieces, so that a commit meanwhile does not wait for all of it.
const syncEvery = 4 * 1024 * 1024;

/** A file that is made beside the one it is to replace: whoever reads that, after whatever crash, finds the old or the new. */
export class DraftFile {
  readonly file: FileHandle;
  readonly #path: string;
  #length = 0;
  #synced = 0;
  #nextSeq = 0;

  private constructor(file: FileHandle, path: string) {
    this.file = file;
    this.#path = path;
  }

  static async create(target: string): Promise<DraftFile> {
    const path = `${target}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
    return new DraftFile(await open(path, 'wx', 0o600), path);
  }

  get length(): number {
    return this.#length;
  }

  /** The number that the next record gets. */
  get nextSeq(): number {
    return this.#nextSeq;
  }

  async add(fields: object): Promise<void> {
    const line = formatRecord(this.#nextSeq, fields);
    await writeFully(this.file, line, this.#length);
    this.#nextSeq += 1;
    this.#length += line.length;
    if (this.#length - this.#synced >= syncEvery) await this.sync();
  }

  async sync(): Promise<void> {
    this.#synced = this.#length;
    await this.file.datasync();
  }

  /** Puts it in the place of the target. The folder has to be made durable after. */
  async replace(target: string): Promise<void> {
    await rename(this.#path, target);
  }

  async discard(): Promise<void> {
    await this.file.close().catch(() => undefined);
    await unlink(this.#path).catch(() => undefined);
  }
}

/** Removes what a process that died while it wrote has left beside a file. */
export async function removeDrafts(path: string): Promise<void> {
  const directory = dirname(path);
  const prefix = `${basename(path)}.`;
  const drafts = (await readdir(directory)).filter(
    (name) => name.startsWith(prefix) && name.endsWith('.tmp'),
  );
  await Promise.all(drafts.map((name) => unlink(join(directory, name)).catch(() => undefined)));
}
