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
  return plain.length <= maxLength ? plain : `${plain.slice(0, maxLength - 1)}…`;
}
