/*
 * Decides what is a secret, for documents, definitions, imports, urls, headers, arguments and variables alike.
 * It knows names and the shapes of values; where in a document they stand, and what is done then, is said elsewhere.
 */
import { scanReferences } from './secret-reference.js';

// Bounded everywhere, so that no text makes them run long.
const issued = [
  'gh[opsur]_[A-Za-z0-9]{20,}',
  'github_pat_[A-Za-z0-9_]{20,}',
  'gl(?:pat|ptt|rt|dt)-[A-Za-z0-9_-]{16,}',
  '[sr]k[-_](?:[a-z]{2,10}[-_])?[A-Za-z0-9_-]{16,}',
  'whsec_[A-Za-z0-9+/]{20,}',
  'xox[abeoprs]-[A-Za-z0-9-]{10,}',
  'xapp-[A-Za-z0-9-]{10,}',
  'hooks\\.slack\\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{10,}',
  '(?:AKIA|ASIA)[A-Z0-9]{16}\\b',
  'AIza[A-Za-z0-9_-]{30,}',
  'ya29\\.[A-Za-z0-9_-]{20,}',
  'GOCSPX-[A-Za-z0-9_-]{20,}',
  'npm_[A-Za-z0-9]{30,}',
  'pypi-[A-Za-z0-9_-]{30,}',
  'SG\\.[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{16,}',
  'SK[0-9a-f]{32}\\b',
  'hf_[A-Za-z0-9]{30,}',
  '(?:gsk|ntn|lin_api|sbp|figd|glsa|r8|dop_v1|shp(?:at|ss|ca|pa)|secret)_[A-Za-z0-9_-]{30,}',
  '(?:xai|tvly|pplx|fc)-[A-Za-z0-9-]{24,}',
  'dapi[0-9a-f]{32}\\b',
  'ATATT[A-Za-z0-9_=-]{30,}',
  'AGE-SECRET-KEY-1[A-Z0-9]{40,}',
  '[0-9]{8,10}:[A-Za-z0-9_-]{35}\\b',
  'eyJ[A-Za-z0-9_-]{8,300}\\.[A-Za-z0-9_-]{8,3000}\\.',
];
const shapes: readonly RegExp[] = [
  new RegExp(String.raw`(?<![A-Za-z0-9])(?:${issued.join('|')})`, 'u'),
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY/u,
  // A word after "basic" or "token" makes a sentence.
  /^\s*(?:[Bb](?:earer|asic)|BEARER|BASIC|[Tt]oken|[Aa]pi-?[Kk]ey)\s+(?!(?:[A-Z]?[a-z]+|[A-Z]+)\s*$)[A-Za-z0-9._~+/:=-]{6,}\s*$/u,
  /^\s*bearer\s+[A-Za-z0-9._~+/:=-]{16,}\s*$/iu,
  /\b[a-z][a-z0-9+.-]{0,19}:\/\/[^\s:@/?#]{0,200}:[^\s@/]{1,500}@/iu,
  /(?:^|[;\s])(?:password|pwd|accountkey|sharedaccesskey|sharedaccesssignature)\s{0,3}=\s{0,3}[^;\s]{1,500}/iu,
];

// The last word of a name, in the singular. What is glued to others counts only where no other word ends so.
const secretWord =
  /(?:token|secret|password|passwd|passphrase|credential|(?:api|access|private|secret|auth|signing|encryption|master)key|connectionstring)$|^(?:key|pass|passcode|pwd|pat|(?:db|pg|user)pass)$/u;
const openKeys = new Set(['public', 'publishable', 'partition', 'sort', 'foreign', 'idempotency', 'cache']);
const countedTokens = new Set([
  ...['max', 'min', 'num', 'number', 'total', 'input', 'output', 'prompt', 'completion', 'context'],
  ...['stop', 'special', 'limit', 'budget', 'used'],
]);
const credentialName = /^(?:(?:proxy-)?authorization|(?:set-)?cookie)$/iu;
const connectionName = /(?:^|[-_])(?:dsn|(?:mongo(?:db)?|database|db|redis|postgres)[-_]ur[il])$/iu;
// In the query of a url, where `sig` and the like sign a request.
const parameterName = /^(?:sig|signature|x-amz-signature|x-goog-signature|auth|jwt)$/iu;

const plainValue =
  /^(?:|true|false|yes|no|on|off|null|none|undefined|enabled|disabled|required|optional|(?:~|\.{1,2})?\/[\w./@ -]{1,500}\.[a-z][a-z0-9]{1,7})$/iu;
const places = /\$\{[^}]{0,600}\}|\{\{[^}]{0,200}\}\}/gu;
const onlyPlaces = /^\W*(?:bearer|basic|token)?\W*$/iu;

/**
 * Tells whether what is given in clear under a name is a secret, by its name or by the shape of its value.
 *
 * The name ends in TOKEN, KEY, SECRET, PASSWORD, CREDENTIALS or another such word, or the value looks like a token of a
 * known issuer, a private key, the credentials of a header, or a URL with a password or key. An empty value, `true`,
 * `none` and other such words, the path of a file, a reference and a place for a value such as `${NAME}` are none.
 *
 * @param name - of a variable, header or parameter; '' where only the value tells
 */
export function looksLikeSecret(name: string, value: string): boolean {
  if (plainValue.test(value) || scanReferences(value).references.length > 0) return false;
  const rest = value.replaceAll(places, '');
  if (rest !== value && onlyPlaces.test(rest)) return false;
  if (saysSecret(name, value)) return true;
  return shapes.some((shape) => shape.test(rest)) || parameters(rest).some(isSecretParameter);
}

/** Tells whether what goes by a name has to be taken for a secret while its value is not known. */
export function isSecretName(name: string): boolean {
  return saysSecret(name, 'value') || connectionName.test(name);
}

/**
 * Tells whether an argument of a command line is a secret.
 *
 * @param option - the option before it, or what stands before its `=`; '' for none
 */
export function isSecretArgument(option: string, value: string): boolean {
  const header = /^(?:-H|--headers?)$/u.test(option) ? /^([\w-]{1,100})\s*[:=]\s*(.*)$/su.exec(value) : null;
  if (header) return looksLikeSecret(header[1] ?? '', header[2] ?? '');
  if (looksLikeSecret('', value)) return true;
  const name = option.replace(/^-+/u, '');
  // A single letter says too little, and after --no-… comes something else.
  if (value.startsWith('-') || name.length < 2 || /^no-/u.test(name)) return false;
  return looksLikeSecret(name, value);
}

/** Tells whether the value of a parameter of a url is a secret. */
export function isSecretParameter({ name, value }: UrlParameter): boolean {
  return looksLikeSecret(parameterName.test(name) ? 'key' : name, value);
}

/** Tells whether a part of the path of a url is a secret: it is like an issued token, or long and random. */
export function isSecretSegment(text: string): boolean {
  const isRandom = /^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9_-]{32,500}={0,2}$/u.test(text);
  return isRandom || looksLikeSecret('', text);
}

/** Tells whether a text stands for a value that people are to fill in themselves, such as `<YOUR_TOKEN>`. */
export function isPlaceholder(text: string): boolean {
  return /^<[^<>]{0,200}>$|^\.{3}$|^x{3,}$|^(?:your|insert|replace|change)[-_ ]/iu.test(text.trim());
}

/** A parameter of a url. */
export interface UrlParameter {
  readonly name: string;
  readonly value: string;
}

function parameters(text: string): UrlParameter[] {
  if (!text.includes('://')) return [];
  return [...text.matchAll(/[?&]([^=&?#\s]{1,100})=([^&#\s]{1,2000})/gu)].map(
    ([, name = '', value = '']) => ({
      name,
      value,
    }),
  );
}

function saysSecret(name: string, value: string): boolean {
  if (credentialName.test(name)) return true;
  // The shell's own, which is where it stands.
  if (name === 'PWD' || name === 'OLDPWD') return false;
  const words = wordsOf(name);
  const last = words.at(-1) ?? '';
  const before = words.at(-2) ?? '';
  const one = last.replace(/(?<=token|key|secret|password|passphrase|credential)s$/u, '');
  if (one !== last && (/^\d+$/u.test(value) || countedTokens.has(before))) return false;
  if (one === 'string' && before === 'connection') return true;
  return secretWord.test(one) && !(one === 'key' && openKeys.has(before));
}

/** `dbPassword2` and `DB-PASSWORD_2` are both db and password. */
function wordsOf(name: string): string[] {
  return name
    .slice(-200)
    .replaceAll(/([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])/gu, '$1$3_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/u)
    .map((word) => word.replace(/\d+$/u, ''))
    .filter((word) => word !== '');
}
