import { mcpError } from '../../plugin-essentials.js';
import type { Ordered } from './row-order.js';

/** Writes the place after which the next page begins. */
export function formatCursor({ createdAt, id }: Ordered): string {
  return Buffer.from(JSON.stringify([createdAt, id])).toString('base64url');
}

/**
 * Reads a cursor.
 *
 * @throws `INVALID_ARGUMENT` for a text that {@link formatCursor} did not write
 */
export function parseCursor(cursor: string): Ordered {
  const place = parsePlace(cursor);
  if (place === undefined) {
    throw mcpError(
      'INVALID_ARGUMENT',
      'The cursor is not one that list() gave; pass nextCursor of the page before.',
    );
  }
  return place;
}

function parsePlace(cursor: string): Ordered | undefined {
  try {
    const place = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[] | null;
    if (!Array.isArray(place) || place.length !== 2) return undefined;
    const [createdAt, id] = place;
    return typeof createdAt === 'string' && typeof id === 'string' ? { createdAt, id } : undefined;
  } catch {
    return undefined;
  }
}
