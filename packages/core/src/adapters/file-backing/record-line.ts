import { crc32 } from 'node:zlib';

/** A record as its line has it. */
export interface RecordLine {
  /** Its number in the file, from 0 on without gaps: a record that is missing or repeated is noticed. */
  readonly seq: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

const newline = 0x0a;
const sumStart = '{"sum":"';
const sumLength = 8;
const bodyAt = sumStart.length + sumLength;

/** Writes a record as one line of JSON, whose first field is the checksum of the rest. */
export function formatRecord(seq: number, fields: object): Buffer {
  const rest = JSON.stringify(fields).slice(1);
  const body = `","seq":${seq}${rest === '}' ? '' : ','}${rest}\n`;
  return Buffer.from(`${sumStart}${sumOf(body)}${body}`);
}

/** Reads a line, its end included; `undefined` when it is not a whole record. */
export function parseRecord(line: Buffer): RecordLine | undefined {
  if (line.length <= bodyAt || line.at(-1) !== newline) return undefined;
  if (line.toString('latin1', 0, bodyAt) !== `${sumStart}${sumOf(line.subarray(bodyAt))}`) return undefined;
  try {
    const { sum: _sum, seq, ...fields } = JSON.parse(line.toString()) as Record<string, unknown>;
    return typeof seq === 'number' ? { seq, fields } : undefined;
  } catch {
    return undefined;
  }
}

function sumOf(body: string | Buffer): string {
  return crc32(body).toString(16).padStart(sumLength, '0');
}
