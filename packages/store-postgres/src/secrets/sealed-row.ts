import type { Row } from '../database/database.js';
import type { SealedSecret } from './envelope.js';

/** Reads the sealed columns of a row. */
export function sealedOf(row: Row): SealedSecret {
  return { keyId: row['key_id'] ?? '', dataKey: row['data_key'] ?? '', body: row['body'] ?? '' };
}
