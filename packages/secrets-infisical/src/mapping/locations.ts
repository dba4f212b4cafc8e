import {
  formatSecretReference,
  mcpError,
  parseSecretReference,
  type SecretContext,
  type SecretReference,
} from '@mcpinfra/core/plugin';
import type { ResolvedOptions } from '../infisical-secrets-options.js';
import { folderName, keyOfName, secretNameOf } from './escaped-part.js';
import { isFolderPath } from './folder-path.js';

/** Nobody in particular asks. */
const nobody: SecretContext = { instanceId: '', tenant: '', principal: null };

/** Where the secrets of a scope are. */
export interface Folder {
  readonly projectId: string;
  readonly environment: string;
  readonly path: string;
  /** Whether nothing but this scope can be in it, as its path names it. */
  readonly isOwn: boolean;
}

/** One text for each folder. */
export function folderKey({ projectId, environment, path }: Folder): string {
  return JSON.stringify([projectId, environment, path]);
}

/** Tells where secrets are: the mapping of the options, checked. */
export class Locations {
  readonly #options: ResolvedOptions;

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  /** Gives the folder of a scope, unless it is none of Infisical's business. @throws `INVALID_OPTIONS` */
  folderOf(scope: string, context: SecretContext = nobody): Folder | undefined {
    const { projectId, environment, basePath, locate } = this.#options;
    if (!locate) {
      return {
        projectId,
        environment,
        path: `${basePath.replace(/\/$/u, '')}/${folderName(scope)}`,
        isOwn: true,
      };
    }
    const given: unknown = locate(scope, context);
    if (given === undefined) return undefined;
    const { path, ...elsewhere } = given as Readonly<Record<string, unknown>>;
    if (!isFolderPath(path))
      return refuse('locate', 'a path like /team/instances, of letters, digits, "_" and "-"', path);
    return {
      projectId: text('locate', elsewhere['projectId'] ?? projectId),
      environment: text('locate', elsewhere['environment'] ?? environment),
      path,
      isOwn: [scope, folderName(scope)].some((name) => `${path}/`.includes(`/${name}/`)),
    };
  }

  /** Gives the reference to a secret of a folder, where its name tells it. */
  referenceTo(scope: string, name: string): SecretReference | undefined {
    const key = keyOfName(name);
    const reference = key === undefined ? undefined : { scope, key };
    return reference && isReference(reference) && this.nameOf(reference) === name ? reference : undefined;
  }

  /** Gives the name of a secret within its folder. @throws `INVALID_OPTIONS` */
  nameOf(reference: SecretReference): string {
    const { secretName } = this.#options;
    if (!secretName) return secretNameOf(reference.key);
    const name: unknown = secretName(reference);
    // An empty name, and dots, are another route of the server; white space around a name it takes away.
    const isName = typeof name === 'string' && name.trim() === name && !/^\.*$|[/:]/u.test(name);
    return isName ? name : refuse('secretName', 'a name without "/" and ":"', name);
  }
}

/** Tells whether a document could name such a secret. */
export function isReference(reference: SecretReference): boolean {
  const parsed = parseSecretReference(formatSecretReference(reference));
  return parsed?.scope === reference.scope && parsed.key === reference.key;
}

function text(option: string, value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : refuse(option, 'ids that are not empty', value);
}

function refuse(option: string, expected: string, got: unknown): never {
  const shown = typeof got === 'string' ? JSON.stringify(got) : typeof got;
  throw mcpError(
    'INVALID_OPTIONS',
    `infisicalSecrets: expected ${option} to give ${expected}, got ${shown}.`,
  );
}
