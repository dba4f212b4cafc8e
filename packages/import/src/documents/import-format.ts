import { didYouMean, isObject, kindOf } from '@mcpinfra/core/plugin';

/** The formats that can be imported. */
export type ImportFormat = 'server.json' | 'mcpServers' | 'vscode' | 'docker-catalog' | 'providers';

/** Recognises the format of one document; the text says, of one that is none, what is known and what came. */
export function detectFormat(document: unknown): ImportFormat | { readonly unknown: string } {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    return { unknown: `Expected an object, but got ${kindOf(document)}. ${known}` };
  }
  const has = (name: string): boolean => Object.hasOwn(document, name);
  const member = (name: string): unknown => (has(name) ? Reflect.get(document, name) : undefined);
  if (has('mcpServers')) return 'mcpServers';
  if (isObject(member('providers'))) return 'providers';
  if (isObject(member('servers')) || isObject(ofSettings(document))) return 'vscode';
  if (isEntry(document) || isEntry(member('server'))) return 'server.json';
  const list = member('servers');
  if (Array.isArray(list) && !has('instances') && list.some((one) => isEntry(one) || isWrapped(one)))
    return 'server.json';
  if (has('name') && ['image', 'remote', 'run', 'about', 'config'].some(has)) return 'docker-catalog';
  const entries = Object.values(document) as unknown[];
  const isBare = (one: unknown) =>
    isObject(one) && ['command', 'url', 'serverUrl', 'httpUrl'].some((n) => n in one);
  if (entries.length > 0 && entries.every(isBare)) return 'mcpServers';
  return { unknown: `${came(Object.keys(document))} ${known}` };
}

/** The servers in the settings of VS Code, where they stood before they had a file of their own. */
function ofSettings(document: object): unknown {
  const mcp: unknown = Object.hasOwn(document, 'mcp') ? Reflect.get(document, 'mcp') : undefined;
  return isObject(mcp) && Object.hasOwn(mcp, 'servers') ? mcp['servers'] : undefined;
}

const known =
  'Known are: an entry of the official registry (server.json, with packages or remotes), the configuration of a client ' +
  '(mcpServers, or servers and inputs), a server.yaml of the Docker catalogue (name and image), and a list of providers.';
const markers = ['mcpServers', 'servers', 'providers', 'packages', 'remotes', 'image'];

function came(keys: readonly string[]): string {
  if (keys.includes('instances')) return 'This is a document for apply(). ';
  if (keys.length === 0) return 'An empty object came.';
  const hints = keys.flatMap((key) => didYouMean(key, markers) ?? []);
  const names = keys.slice(0, 8).map((key) => JSON.stringify(key.slice(0, 40)));
  const hint = hints[0] === undefined ? '' : ` Did you mean "${hints[0]}"?`;
  return `The format is not known; an object with ${names.join(', ')} came.${hint}`;
}

function isEntry(value: unknown): boolean {
  if (!isObject(value)) return false;
  const schema = value['$schema'];
  if (typeof schema === 'string' && schema.includes('server.schema.json')) return true;
  return Array.isArray(value['packages']) || Array.isArray(value['remotes']) || 'version_detail' in value;
}

function isWrapped(value: unknown): boolean {
  return isObject(value) && isEntry(value['server']);
}
