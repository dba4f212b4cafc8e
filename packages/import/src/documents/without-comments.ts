/**
 * Blanks the comments of JSON as editors write it, so that places in the text stay where they are. Reads each sign once,
 * whatever the text.
 */
export function withoutComments(text: string): string {
  let result = '';
  let copied = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') at = endOfString(text, at);
    else if (text[at] === '/' && (text[at + 1] === '/' || text[at + 1] === '*')) {
      const end = endOfComment(text, at);
      result += text.slice(copied, at) + text.slice(at, end).replaceAll(/[^\n]/gu, ' ');
      copied = end;
      at = end - 1;
    }
  }
  return result + text.slice(copied);
}

/** The place of the quote that ends a string of JSON, or of the end of its line where there is none. */
export function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"' || text[at] === '\n') return at;
  }
  return text.length;
}

function endOfComment(text: string, start: number): number {
  const [sign, length] = text[start + 1] === '/' ? ['\n', 0] : ['*/', 2];
  const end = text.indexOf(sign, start + 2);
  return end < 0 ? text.length : end + length;
}
