const everyCharacter = 'ABCXYZabcxyz0189_.@/-';

/** Ids that are hard to tell apart or to keep, and nothing else. */
export const awkwardIds: readonly string[] = [
  `${everyCharacter}:${everyCharacter}`,
  'instance_1:WITH:COLONS:IN:IT',
  'instance_1:case',
  'instance_1:CASE',
  'instance_1:a/b',
  'instance_1/a:b',
  'instance_1:a.b',
  'instance_1:a_b',
  'instance_1:a-b',
  `${'s'.repeat(200)}:${'K'.repeat(200)}`,
];

/** Values that are easily changed on their way. */
export const awkwardValues: Readonly<Record<string, string>> = {
  'values:LINES': '-----BEGIN KEY-----\r\nabc\n\ndef\n-----END KEY-----\n',
  'values:SPACES': ' \t around \t ',
  'values:UNICODE': 'Zoë 東京 🚀 e\u0301 \u2028 \ufeff',
  'values:QUOTES': `"double" 'single' \`back\` $HOME \${x} %s \\n {"json": [1]} <a&b>`,
  'values:REFERENCE': 'secret_ref:values:LINES',
  'values:NUMBER': '007',
  'values:LONG': 'Ab3/+='.repeat(Math.ceil((64 * 1024) / 6)),
};

/** What a backend holds before a case begins, by `<scope>:<KEY>`. */
export const seed: Readonly<Record<string, string>> = {
  'instance_1:TOKEN': 'canary-value-of-token',
  'instance_1:OTHER': 'canary-value-of-other',
  'instance_10:TOKEN': 'canary-value-of-ten',
  ...Object.fromEntries(awkwardIds.map((id, index) => [id, `value ${index}`])),
  ...awkwardValues,
};
