import type { Issue } from '../errors/issue.js';
import { pointer } from '../errors/issue.js';
import { isObject } from '../is-object.js';
import { isPlaceholder, isSecretArgument, looksLikeSecret } from '../secrets/looks-like-secret.js';
import { hasUserInfo, replaceUrlSecrets } from '../secrets/url-secrets.js';

/** Where there are the arguments of a program. */
const argumentLists = ['command', 'cmd', 'entrypoint'];

/**
 * The secrets of a document that stand where everybody sees them and no reference can: in arguments, in addresses that are
 * probed, in front of a host. The document may be one that is not valid.
 *
 * An option named in `plain_environment` takes no secret.
 */
export function shownSecrets(document: object): Issue[] {
  const plain: unknown = Reflect.get(document, 'plain_environment');
  const known = new Set(Array.isArray(plain) ? plain : []);
  return [
    ...argumentLists.flatMap((list) => secretArguments(list, Reflect.get(document, list), known)),
    ...addressesOf(document).flatMap(([path, address]) => secretsOfAddress(path, address)),
  ];
}

function secretArguments(list: string, given: unknown, known: ReadonlySet<unknown>): Issue[] {
  if (!Array.isArray(given)) return [];
  let before = '';
  return given.flatMap((argument: unknown, index): Issue[] => {
    if (typeof argument !== 'string') return [];
    // What follows an option is its value, unless that has one already.
    const [, assigned, rest] = /^([\w.-]{1,200})=(.*)$/su.exec(argument) ?? [];
    const option = assigned ?? before;
    const value = rest ?? argument;
    before = assigned === undefined && argument.startsWith('-') ? argument : '';
    if (known.has(option) || isPlaceholder(value) || !isSecretArgument(option, value)) return [];
    const named = option === '' ? '' : ` If ${option} takes none, list it in plain_environment.`;
    const message =
      'An argument is shown by every process list, and this one looks like a secret. Give it as a variable of ' +
      `environment.${named}`;
    return [{ path: pointer(list, index), code: 'secret_in_clear', message }];
  });
}

type Address = readonly [path: readonly string[], address: string];

function addressesOf(document: object): Address[] {
  const check: unknown = Reflect.get(document, 'health_check');
  const authentication: unknown = Reflect.get(document, 'authentication');
  const candidates: readonly (readonly [readonly string[], unknown])[] = [
    [['endpoint'], Reflect.get(document, 'endpoint')],
    [['path'], Reflect.get(document, 'path')],
    isObject(check) ? [['health_check', 'path'], check['path']] : [['health_check'], check],
    [['authentication', 'token_url'], isObject(authentication) ? authentication['token_url'] : undefined],
  ];
  return candidates.filter((one): one is Address => typeof one[1] === 'string');
}

function secretsOfAddress(path: readonly string[], address: string): Issue[] {
  if (hasUserInfo(address))
    return [shown(path, 'Remove the user name and password and use the field authentication.')];
  if (path[0] === 'endpoint') return [];
  const hasSecret = replaceUrlSecrets(address, () => '') !== address || looksLikeSecret('', address);
  return hasSecret ? [shown(path, 'Give it in headers, authentication or the query of endpoint.')] : [];
}

function shown(path: readonly string[], remedy: string): Issue {
  const message = `An address is shown by logs and answers, and this one holds a secret. ${remedy}`;
  return { path: pointer(...path), code: 'secret_in_clear', message };
}
