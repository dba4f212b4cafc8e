import { mcpError } from '@mcpinfra/core/plugin';

/** Where a row is in the order of its table. */
export interface Place {
  readonly createdAt: string;
  readonly id: string;
}

/** Writes the place after which the next page begins. */
export function formatCursor({ createdAt, id }: Place): string {
  return Buffer.from(JSON.stringify([createdAt, id])).toString('base64url');
}

/**
 * Reads a cursor.
 *
 * @throws `INVALID_ARGUMENT` for a text that {@link formatCursor} did not write
 */
export function parseCursor(cursor: string): Place {
  const place = parsePlace(cursor);
  if (place === undefined) {
    throw mcpError(
      'INVALID_ARGUMENT',
      'The cursor is not one that list() gave; pass nextCursor of the page before.',
    );
  }
  return place;
}

function parsePlace(cursor: string): Place | undefined {
  try {
    const place: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (!Array.isArray(place) || place.length !== 2) return undefined;
    const [createdAt, id] = place as readonly unknown[];
    if (typeof createdAt !== 'string' || Number.isNaN(Date.parse(createdAt))) return undefined;
    return typeof id === 'string' ? { createdAt, id } : undefined;
  } catch {
    return undefined;
  }
}
