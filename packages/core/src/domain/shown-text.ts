// Escape sequences of terminals (ECMA-48) whole, then what is left of control characters, and what turns text around.
// eslint-disable-next-line no-control-regex -- these are what is looked for
const sequences = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-_])/gu;
const controls = /[\p{Cc}\u2028-\u202e\u2066-\u2069]+/gu;

/** Makes a text of a stranger fit to be shown: no control characters, on one line, and cut to so many characters. */
export function shownText(text: string, maxLength: number): string {
  // Not more than could be shown is looked at, however long it is.
  const plain = text
    .slice(0, 4 * maxLength)
    .replaceAll(sequences, '')
    .replaceAll(controls, ' ');
  const wasCut = text.length > 4 * maxLength;
  return cutText(plain, wasCut ? Math.min(maxLength, plain.length - 1) : maxLength);
}

/** So much of a word is too little to be a part of a secret. */
const shownOfWord = 11;

/**
 * Cuts a text to so many characters, and of the word that this cuts leaves the beginning only: it may be a secret, which
 * whoever takes secrets out of texts no longer recognises by its first half.
 */
export function cutText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const cut = text.slice(0, maxLength - 1);
  const word = Math.max(...[' ', '\n', '\t'].map((space) => cut.lastIndexOf(space))) + 1;
  return `${cut.slice(0, word + shownOfWord)}…`;
}
