const mark = 'mcpinfra-base64:';

/**
 * Writes a value so that the server keeps it as it is.
 *
 * Infisical cuts white space off both ends, and takes `${…}` for a reference, which it checks when it is written and may
 * expand when it is read. Such values are written in base64 behind a mark; all others as they are, to be read by people.
 */
export function armoured(value: string): string {
  const changes = value !== value.trim() || value.includes('${') || value.startsWith(mark);
  return changes ? `${mark}${Buffer.from(value).toString('base64')}` : value;
}

/** The value that was written, by {@link armoured} or by anybody else. */
export function unarmoured(stored: string): string {
  return stored.startsWith(mark) ? Buffer.from(stored.slice(mark.length), 'base64').toString() : stored;
}
