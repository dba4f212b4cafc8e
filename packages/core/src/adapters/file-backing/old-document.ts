import { z } from 'zod';
import { mcpError, messageOf } from '../../plugin.js';
import { Layer } from '../memory-store/layer.js';
import { corrupt } from './corrupt.js';
import { applyRowsJson, checkLog } from './rows-json.js';
import { formatVersion, type StoreHead } from './store-head.js';

const position = z.int().nonnegative();
const documentSchema = z.object({
  format_version: z.literal(1),
  store_id: z.string().min(1),
  fleet: z.string().min(1),
  servers: z.array(z.unknown()),
  instances: z.array(z.unknown()),
  counters: z.record(z.string(), z.int()),
  cursors: z.record(z.string(), position),
  log: z.object({ removed: position, head: position, last: position }),
  epoch: position,
  events: z.array(z.unknown()),
});

/**
 * Reads a file of the first format, which was one JSON document.
 *
 * @throws `STORE_CORRUPT` or `STORE_VERSION`, naming the file
 */
export function readOldDocument(file: string, text: string): { head: StoreHead; rows: Layer } {
  const json = parse(file, text);
  refuseNewer(file, json);
  const parsed = documentSchema.safeParse(json);
  if (!parsed.success) throw corrupt(file, z.prettifyError(parsed.error));
  const { store_id: storeId, fleet, servers, instances, counters, cursors, log, epoch, events } = parsed.data;
  const rows = new Layer();
  try {
    applyRowsJson(rows, { servers, instances, counters, cursors, events, marks: { ...log, epoch } });
    checkLog(rows);
  } catch (cause) {
    throw corrupt(file, messageOf(cause), cause);
  }
  return { head: { storeId, fleet }, rows };
}

/** @throws `STORE_VERSION` for a file that a later version of the library wrote */
export function refuseNewer(file: string, json: unknown): void {
  const version: unknown =
    typeof json === 'object' && json !== null && 'format_version' in json && json.format_version;
  if (typeof version !== 'number' || version <= formatVersion) return;
  throw mcpError(
    'STORE_VERSION',
    `${file} has the format ${version}; this version of the library reads up to ${formatVersion}.`,
    { details: { file, version, supported: formatVersion } },
  );
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // The parser's own message quotes the text around the fault.
    const { length } = text;
    throw corrupt(
      file,
      length === 0 ? 'it is empty' : `it is no complete JSON (${length} characters)`,
      cause,
    );
  }
}
