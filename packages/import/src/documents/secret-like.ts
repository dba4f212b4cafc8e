import { looksLikeSecret } from '@mcpinfra/core/plugin';

const connection = /connection[-_]?string$|(?:^|[-_])(?:dsn|mongo(?:db)?[-_]ur[il]|database[-_]url)$/iu;
const credential = /^(?:(?:proxy-)?authorization|cookie)$|(?:^|_)pat$/iu;
const secretOption = /(?:token|secret|passw(?:or)?d|api[-_]?key|credentials?)$/iu;
const camelCaseSecret = /(?:Token|Secret|Password|ApiKey)$/u;

/** Tells whether what goes by a name is a secret whatever its value. */
export function isSecretName(name: string): boolean {
  return looksLikeSecret(name, 'value') || connection.test(name) || credential.test(name);
}

/** Tells whether a value on a command line is a secret, by the option before it or by its own shape. */
export function isSecretArgument(option: string, value: string): boolean {
  if (looksLikeSecret('', value)) return true;
  return (
    value !== '' && (secretOption.test(option) || camelCaseSecret.test(option) || connection.test(option))
  );
}

/** Tells whether a text stands for a value that people are to fill in themselves, such as `<YOUR_TOKEN>`. */
export function isPlaceholder(text: string): boolean {
  return /^<[^<>]{0,200}>$|^\.{3}$|^x{3,}$|^(?:your|insert|replace|change)[-_ ]/iu.test(text.trim());
}
