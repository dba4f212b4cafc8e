import { StringDecoder } from 'node:string_decoder';

/** Reads the JSON objects of a stream, one a line; what is no JSON is left out. */
export async function* jsonLines(stream: AsyncIterable<Buffer | string>): AsyncGenerator {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const pieces = (rest + decoder.write(Buffer.from(chunk))).split('\n');
    rest = pieces.pop() ?? '';
    for (const piece of pieces) {
      const value = parse(piece);
      if (value !== undefined) yield value;
    }
  }
  const last = parse(rest);
  if (last !== undefined) yield last;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
