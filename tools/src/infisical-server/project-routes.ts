import type { InfisicalGeneration, Refusal } from './generation.js';
import type { SecretFolders } from './secret-folders.js';

/** A request that was let in. */
export interface Asked {
  readonly method: string;
  readonly pathname: string;
  /** Of the query, or of the body. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What a route answers: a body, or why not. */
export type Outcome = { readonly body: object } | { readonly refusal: Refusal };

/** How the routes answer at the moment. */
export interface RouteState {
  readonly generation: InfisicalGeneration;
  readonly folders: SecretFolders;
  /** Whether the identity may only read. */
  readonly isReadOnly: boolean;
  /** Whether the identity may see names only. */
  readonly hidesValues: boolean;
  /** Whether changes wait for somebody's approval. */
  readonly needsApproval: boolean;
}

const raw = '/api/v3/secrets/raw';

/** Answers the routes of secrets and folders. */
export function answerRoute(asked: Asked, state: RouteState): Outcome {
  const { method, pathname } = asked;
  if (pathname === raw && method === 'GET') return list(asked, state);
  if (pathname === '/api/v1/folders' && method === 'POST') return createFolder(asked, state);
  // An empty name is the list, as it is there.
  const name = pathname.startsWith(`${raw}/`) ? decodeURIComponent(pathname.slice(raw.length + 1)) : '';
  if (name === '')
    return pathname === `${raw}/` && method === 'GET' ? list(asked, state) : { refusal: 'unknown-route' };
  return method === 'GET' ? get(asked, name, state) : write(asked, name, state);
}

function list({ fields }: Asked, state: RouteState): Outcome {
  const path = pathOf(fields);
  const secrets = [...(state.folders.at(path) ?? [])].map(([name]) => item(fields, name, state));
  return { body: { secrets, imports: [] } };
}

function get({ fields }: Asked, name: string, state: RouteState): Outcome {
  const folder = state.folders.at(pathOf(fields));
  if (!folder) return { refusal: 'no-folder' };
  return folder.has(name) ? { body: { secret: item(fields, name, state) } } : { refusal: 'no-secret' };
}

function write({ method, fields }: Asked, name: string, state: RouteState): Outcome {
  const { folders } = state;
  const path = pathOf(fields);
  const value = fields['secretValue'];
  if (state.isReadOnly) return { refusal: 'forbidden-action' };
  if (method !== 'DELETE' && typeof value !== 'string') return { refusal: 'invalid-input' };
  if (method === 'POST' && state.generation === 'newer' && /[:/]/u.test(name))
    return { refusal: 'invalid-input' };
  const folder = folders.at(path);
  if (!folder) return { refusal: 'no-folder' };
  if (method === 'POST' && folder.has(name)) return { refusal: 'secret-exists' };
  if (method !== 'POST' && !folder.has(name)) return { refusal: 'no-secret' };
  if (state.needsApproval) return { body: { approval: { id: 'approval-1' } } };
  if (method === 'DELETE') {
    const body = { secret: item(fields, name, state) };
    folders.remove(path, name);
    return { body };
  }
  folders.set(path, name, String(value));
  return { body: { secret: item(fields, name, state) } };
}

function createFolder({ fields }: Asked, state: RouteState): Outcome {
  const { name, path = '/' } = fields;
  if (state.isReadOnly) return { refusal: 'forbidden-action' };
  if (typeof name !== 'string' || !/^[\w-]+$/u.test(name)) return { refusal: 'invalid-input' };
  const parent = String(path).replace(/\/+$/u, '');
  state.folders.create(`${parent}/${name}`);
  return { body: { folder: { id: `folder-${name}`, name } } };
}

function item(fields: Asked['fields'], name: string, state: RouteState): object {
  const path = pathOf(fields);
  const kept = state.folders.at(path)?.get(name) ?? '';
  // It expands unless it is told not to.
  const value =
    String(fields['expandSecretReferences']) === 'false' ? kept : state.folders.expanded(path, kept);
  const id = `id-${name}`;
  return {
    ...{ id, _id: id, workspace: fields['workspaceId'], environment: fields['environment'], version: 1 },
    ...{ type: 'shared', secretKey: name, secretComment: '', tags: [], secretPath: path },
    secretValue: state.hidesValues ? '<hidden-by-infisical>' : value,
    ...(state.generation === 'newer' && { secretValueHidden: state.hidesValues, isRotatedSecret: false }),
  };
}

function pathOf(fields: Asked['fields']): string {
  const path = fields['secretPath'];
  return typeof path === 'string' ? path : '/';
}
