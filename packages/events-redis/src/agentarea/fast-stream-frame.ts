const magic = Buffer.from('\u0089BIN\r\n\u001a\n', 'latin1');
const fixedBytes = magic.length + 2 + 4 + 4;

/** What a binary frame holds, or what is wrong with it; `null` for bytes that are no frame. */
export type Frame = { readonly body: Uint8Array } | { readonly fault: string } | null;

/**
 * Finds the body of a FastStream binary frame, the default of its Redis broker from version 0.6.
 *
 * All numbers are big-endian: the magic, a u16 version, u32 offsets of headers and body, the headers, the body. The
 * headers say nothing that is needed here.
 */
export function readFrame(payload: Uint8Array): Frame {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  if (!bytes.subarray(0, magic.length).equals(magic)) return null;
  if (bytes.length < fixedBytes) return { fault: 'The binary frame is cut off in its head.' };
  const version = bytes.readUInt16BE(magic.length);
  if (version !== 1) return { fault: `Expected a binary frame of version 1, but got ${String(version)}.` };
  const bodyStart = bytes.readUInt32BE(magic.length + 6);
  if (bodyStart < fixedBytes || bodyStart > bytes.length)
    return { fault: `The body of the binary frame begins outside it, at ${String(bodyStart)}.` };
  return { body: bytes.subarray(bodyStart) };
}
