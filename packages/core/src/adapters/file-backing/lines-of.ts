import type { FileHandle } from 'node:fs/promises';

// Each is worked off at once, and then others have their turn.
const chunkSize = 64 * 1024;

/** Reads a file from its beginning, line by line, each with its end; the last one may have none. */
export async function* linesOf(
  file: FileHandle,
): AsyncGenerator<{ readonly bytes: Buffer; readonly offset: number }> {
  let begun: Buffer[] = [];
  let offset = 0;
  for (let at = 0; ;) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(chunkSize), 0, chunkSize, at);
    if (bytesRead === 0) break;
    at += bytesRead;
    const chunk = buffer.subarray(0, bytesRead);
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      begun.push(chunk.subarray(start, end + 1));
      start = end + 1;
      const bytes = begun.length === 1 && begun[0] ? begun[0] : Buffer.concat(begun);
      begun = [];
      yield { bytes, offset };
      offset += bytes.length;
    }
    if (start < chunk.length) begun.push(chunk.subarray(start));
  }
  if (begun.length > 0) yield { bytes: Buffer.concat(begun), offset };
}
