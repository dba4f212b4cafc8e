import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { messageOf } from '../../plugin.js';
import { Layer } from '../memory-store/layer.js';
import { corrupt, corruptRecord, type DamagedRecord } from './corrupt.js';
import { linesOf } from './lines-of.js';
import { readOldDocument, refuseNewer } from './old-document.js';
import { parseRecord, type RecordLine } from './record-line.js';
import { applyRowsJson, checkLog } from './rows-json.js';
import { formatVersion, type StoreHead } from './store-head.js';

/** What a file holds, and where its next record goes. */
export interface StoreContent {
  readonly head: StoreHead;
  readonly rows: Layer;
  /** `undefined` for a file of the first format, which has to be written anew. */
  readonly journal: JournalPlace | undefined;
}

/** A place in a file of records. */
export interface JournalPlace {
  /** Where the snapshot ends that the file begins with. */
  readonly snapshotLength: number;
  /** Where the next record goes; what is behind it was left by a crash. */
  readonly length: number;
  readonly nextSeq: number;
}

const headSchema = z.object({
  format_version: z.literal(formatVersion),
  store_id: z.string().min(1),
  fleet: z.string().min(1),
});

/**
 * Reads a file.
 *
 * A last record that is not whole is what a crash in the middle of a writing leaves; nobody was told that it is
 * durable, and it is left out. Anything else that is wrong is refused.
 *
 * @throws `STORE_CORRUPT` or `STORE_VERSION`, naming the file
 */
export async function readStoreFile(path: string, file: FileHandle): Promise<StoreContent> {
  const reading = new Reading(path);
  for await (const line of linesOf(file)) {
    if (line.offset === 0 && parseRecord(line.bytes) === undefined && !looksLikeRecord(line.bytes)) {
      return { ...readOldDocument(path, await wholeText(file)), journal: undefined };
    }
    reading.take(line);
  }
  return reading.end();
}

/** Records that are read one after the other. */
class Reading {
  readonly #path: string;
  readonly #rows = new Layer();
  #head: StoreHead | undefined;
  #snapshotLength: number | undefined;
  #length = 0;
  #nextSeq = 0;
  #bad: { readonly offset: number; torn: boolean } | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  take({ bytes, offset }: { readonly bytes: Buffer; readonly offset: number }): void {
    const record = parseRecord(bytes);
    if (record === undefined) {
      this.#bad ??= { offset, torn: false };
      // A file that grew before its bytes were written has zeros in their place after a loss of power.
      this.#bad.torn = this.#bad.torn || bytes.at(-1) !== 0x0a || bytes.includes(0);
      return;
    }
    if (this.#bad) throw this.#damaged({ offset: this.#bad.offset, why: 'a record is not what was written' });
    if (record.seq !== this.#nextSeq)
      throw this.#damaged({ offset, why: `it has record ${record.seq} in place of ${this.#nextSeq}` });
    if (record.seq === 0) refuseNewer(this.#path, record.fields);
    try {
      this.#apply(record);
    } catch (cause) {
      throw this.#damaged({ offset, why: messageOf(cause), cause });
    }
    this.#nextSeq += 1;
    this.#length = offset + bytes.length;
    if (record.fields['snapshot'] === 'complete') this.#snapshotLength = this.#length;
  }

  end(): StoreContent {
    if (this.#bad && !this.#bad.torn)
      throw this.#damaged({ offset: this.#bad.offset, why: 'its last record is not what was written' });
    const { head, snapshotLength } = this.#whole();
    try {
      checkLog(this.#rows);
    } catch (cause) {
      throw corrupt(this.#path, messageOf(cause), cause);
    }
    return {
      head,
      rows: this.#rows,
      journal: { snapshotLength, length: this.#length, nextSeq: this.#nextSeq },
    };
  }

  #whole(): { head: StoreHead; snapshotLength: number } {
    if (this.#head === undefined) throw corrupt(this.#path, 'it is empty');
    if (this.#snapshotLength === undefined)
      throw corrupt(this.#path, `it ends after ${this.#length} bytes, within its snapshot`);
    return { head: this.#head, snapshotLength: this.#snapshotLength };
  }

  #apply({ seq, fields }: RecordLine): void {
    if (seq > 0) {
      applyRowsJson(this.#rows, fields);
      return;
    }
    const { store_id: storeId, fleet } = headSchema.parse(fields);
    this.#head = { storeId, fleet };
  }

  #damaged(damage: Omit<DamagedRecord, 'inSnapshot'>): Error {
    return corruptRecord(this.#path, { ...damage, inSnapshot: this.#snapshotLength === undefined });
  }
}

function looksLikeRecord(line: Buffer): boolean {
  return line.toString('latin1', 0, 8) === '{"sum":"';
}

async function wholeText(file: FileHandle): Promise<string> {
  const { size } = await file.stat();
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
  return buffer.toString('utf8', 0, bytesRead);
}
