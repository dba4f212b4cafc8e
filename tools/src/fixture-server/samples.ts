/** A PNG of one red pixel. */
export const redPixel = {
  type: 'image',
  mimeType: 'image/png',
  data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg==',
} as const;

/** A WAV of no samples: the 44 bytes of its header. */
export const silence = { type: 'audio', mimeType: 'audio/wav', data: emptyWav().toString('base64') } as const;

/** A result or message part of plain text. */
export function textPart(text: string): { type: 'text'; text: string } {
  return { type: 'text', text };
}

/** A tool result of plain text. */
export function textResult(text: string): { content: [{ type: 'text'; text: string }] } {
  return { content: [textPart(text)] };
}

function emptyWav(): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16); // length of the format chunk
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(1, 22); // mono
  header.writeUInt32LE(8000, 24); // samples a second
  header.writeUInt32LE(8000, 28); // bytes a second
  header.writeUInt16LE(1, 32); // bytes a sample
  header.writeUInt16LE(8, 34); // bits a sample
  header.write('data', 36);
  return header;
}
