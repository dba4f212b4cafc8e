import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { mcpError } from '../../plugin.js';
import { Turns } from '../memory-store/turns.js';
import { DraftFile } from './draft-file.js';
import type { JournalPlace } from './read-store-file.js';
import { formatRecord } from './record-line.js';
import { syncFolder } from './sync-folder.js';
import { writeFully } from './write-fully.js';

/** What a {@link Journal} works on. */
export interface JournalParts {
  readonly path: string;
  /** Whether this process still is the one that may write the file. */
  readonly isHeld: () => Promise<boolean>;
  /** Gives what all records so far amount to, as the records that a file begins with. */
  readonly snapshot: () => Iterable<object>;
}

/** Below this, a file is not worth writing anew. */
const leastGrowth = 1024 * 1024;

/**
 * A file that begins with a snapshot and goes on with a record for each commit.
 *
 * A commit costs what it changes. Once the records have outgrown the snapshot, a new file is made of a new one, beside the
 * commits, and takes the place of the old: so each byte is written about twice, however much there is.
 */
export class Journal {
  /** One that is forgotten without being closed still has its lock, so it has to keep its file. */
  static readonly #open = new Set<Journal>();

  readonly #parts: JournalParts;
  readonly #turns = new Turns();
  #file: FileHandle;
  #place: JournalPlace;
  #dueAt: number;
  /** Whether there may be something behind the last record. */
  #isTorn = true;
  /** Whether a loss of power may bring back the file that this one replaced. */
  #isFolderSynced = true;
  /** The records appended while a new file is made, which it does not have yet. */
  #tail: object[] | undefined;
  #renewing: Promise<void> | undefined;
  #isClosing = false;
  #isLost = false;

  /** Goes on in a file that was read. */
  constructor(
    parts: JournalParts,
    { file, place }: { readonly file: FileHandle; readonly place: JournalPlace },
  ) {
    this.#parts = parts;
    this.#file = file;
    this.#place = place;
    this.#dueAt = dueAt(place);
    Journal.#open.add(this);
  }

  /** Makes the file of a snapshot, in the place of whatever is there. */
  static async create(parts: JournalParts): Promise<Journal> {
    const draft = await DraftFile.create(parts.path);
    try {
      for (const fields of parts.snapshot()) await draft.add(fields);
      await draft.sync();
      await draft.replace(parts.path);
      await syncFolder(dirname(parts.path));
    } catch (error) {
      await draft.discard();
      throw error;
    }
    return new Journal(parts, { file: draft.file, place: placeOf(draft) });
  }

  /**
   * Resolves when the record is durable. When it rejects, the record is not part of the journal: nothing that was
   * written of it is left, or the next call removes it before anything else.
   */
  async append(fields: object): Promise<void> {
    await this.#turns.take(async () => {
      await this.#refuseLost();
      if ((await this.#file.stat()).nlink === 0) await this.#renew();
      const { length, nextSeq, snapshotLength } = this.#place;
      const line = formatRecord(nextSeq, fields);
      try {
        await this.#cutOff();
        this.#isTorn = true;
        await writeFully(this.#file, line, length);
        await this.#file.datasync();
        await this.#syncFolder();
      } catch (error) {
        // A record that a failed writing left whole would come back with the next start.
        await this.#cutOff().catch(() => undefined);
        throw error;
      }
      // After the writing: whoever takes the lock reads the file then, and so has what was written before.
      await this.#refuseLost();
      this.#isTorn = false;
      this.#place = { snapshotLength, length: length + line.length, nextSeq: nextSeq + 1 };
      this.#tail?.push(fields);
    });
  }

  /** Begins to write the file anew if it has grown enough. Called when every record is in the snapshot. */
  renewIfDue(): void {
    if (this.#place.length < this.#dueAt || this.#renewing !== undefined || this.#isClosing) return;
    this.#tail = [];
    this.#renewing = this.#renew((last) => this.#turns.take(last))
      .catch(() => {
        // Such as a full disk. The old file is as good, only longer.
        this.#dueAt = this.#place.length + leastGrowth;
      })
      .finally(() => {
        this.#tail = undefined;
        this.#renewing = undefined;
      });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#renewing;
    await this.#turns.take(() => this.#file.close());
    Journal.#open.delete(this);
  }

  /** @param inTurn - runs the last step, in which no record may be appended */
  async #renew(inTurn = (last: () => Promise<void>): Promise<void> => last()): Promise<void> {
    const snapshot = this.#parts.snapshot();
    const draft = await DraftFile.create(this.#parts.path);
    try {
      for (const fields of snapshot) {
        await draft.add(fields);
        if (this.#isClosing) return;
      }
      const snapshotLength = draft.length;
      await this.#addTail(draft);
      await draft.sync();
      await inTurn(() => this.#switchTo(draft, snapshotLength));
    } finally {
      if (this.#file !== draft.file) await draft.discard();
    }
  }

  async #switchTo(draft: DraftFile, snapshotLength: number): Promise<void> {
    await this.#addTail(draft);
    await draft.sync();
    await this.#refuseLost();
    await draft.replace(this.#parts.path);
    const old = this.#file;
    this.#file = draft.file;
    this.#place = { ...placeOf(draft), snapshotLength };
    this.#dueAt = dueAt(this.#place);
    this.#isTorn = false;
    this.#isFolderSynced = false;
    await old.close().catch(() => undefined);
    await this.#syncFolder();
  }

  async #addTail(draft: DraftFile): Promise<void> {
    for (const fields of this.#tail?.splice(0) ?? []) await draft.add(fields);
  }

  async #cutOff(): Promise<void> {
    if (!this.#isTorn) return;
    await this.#file.truncate(this.#place.length);
    await this.#file.datasync();
    this.#isTorn = false;
  }

  async #syncFolder(): Promise<void> {
    if (this.#isFolderSynced) return;
    await syncFolder(dirname(this.#parts.path));
    this.#isFolderSynced = true;
  }

  async #refuseLost(): Promise<void> {
    this.#isLost ||= !(await this.#parts.isHeld());
    if (!this.#isLost) return;
    throw mcpError(
      'STORE_LOCKED',
      `The lock of ${this.#parts.path} was removed, or taken over while this process gave no sign of life. What it wrote ` +
        'since is not part of the store; stop this process.',
      { details: { file: this.#parts.path } },
    );
  }
}

function placeOf({ length, nextSeq }: DraftFile): JournalPlace {
  return { snapshotLength: length, length, nextSeq };
}

function dueAt({ snapshotLength }: JournalPlace): number {
  return snapshotLength + Math.max(snapshotLength, leastGrowth);
}
