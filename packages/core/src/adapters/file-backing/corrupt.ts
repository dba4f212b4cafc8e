import { mcpError } from '../../plugin.js';

/** The error for a file that cannot be read as a store. */
export function corrupt(file: string, why: string, cause?: unknown): Error {
  return mcpError(
    'STORE_CORRUPT',
    `${file} is not the file of a store, or is damaged: ${why}. It was left as it is; restore it from a backup, or give ` +
      'another file.',
    { details: { file }, cause },
  );
}

/** The error for a record that is damaged in the middle of a file, where no crash can have left it. */
export function corruptRecord(file: string, { offset, why, inSnapshot, cause }: DamagedRecord): Error {
  const goOn = inSnapshot
    ? ''
    : ` Or, to go on with what was committed before it and nothing else, keep a copy and cut the file off there: truncate -s ${offset} ${file}`;
  return mcpError(
    'STORE_CORRUPT',
    `${file} is damaged at byte ${offset}: ${why}. It was left as it is; restore it from a backup.${goOn}`,
    { details: { file, offset }, cause },
  );
}

/** What is wrong with a record, and where. */
export interface DamagedRecord {
  readonly offset: number;
  readonly why: string;
  /** Whether everything hangs on it. */
  readonly inSnapshot: boolean;
  readonly cause?: unknown;
}
