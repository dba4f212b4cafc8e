import { Secret } from '@mcpinfra/core/plugin';
import { type Answer, isSuccess } from './api/answer.js';
import type { Ask } from './api/ask.js';
import type { Bounds } from './api/bounds.js';
import type { InfisicalApi } from './api/infisical-api.js';
import { unarmoured } from './mapping/armoured-value.js';
import type { Folder } from './mapping/locations.js';

/** What a folder holds, by name; `hidden` is a value whose name the identity may see, but not what it is. */
export type FolderSecrets = ReadonlyMap<string, Secret | 'hidden'>;

/** Reads all secrets of a folder by one request. A folder that is not there is empty. */
export async function readFolder(api: InfisicalApi, folder: Folder, bounds: Bounds): Promise<FolderSecrets> {
  const { projectId: workspaceId, environment, path: secretPath } = folder;
  const ask: Ask = {
    route: 'list',
    query: {
      ...{ workspaceId, environment, secretPath },
      expandSecretReferences: String(api.expandsReferences),
      include_imports: 'false',
      recursive: 'false',
      viewSecretValue: 'true',
    },
  };
  const answer = await api.call(ask, folder, bounds);
  const secrets = isSuccess(answer)
    ? listed(answer)
    : saysNoFolder(answer)
      ? new Map<string, Secret>()
      : undefined;
  if (!secrets) throw api.refusal(ask, folder, answer);
  return secrets;
}

function listed({ body }: Answer): FolderSecrets | undefined {
  const entries: unknown = body?.['secrets'];
  if (!Array.isArray(entries)) return undefined;
  const found = new Map<string, Secret | 'hidden'>();
  for (const entry of entries as readonly unknown[]) {
    if (typeof entry !== 'object' || entry === null) return undefined;
    const {
      secretKey: name,
      secretValue: value,
      secretValueHidden,
    } = entry as Readonly<Record<string, unknown>>;
    if (typeof name !== 'string' || name === '' || typeof value !== 'string') return undefined;
    found.set(name, secretValueHidden === true ? 'hidden' : new Secret(unarmoured(value)));
  }
  return found;
}

/** The servers seen answer with an empty list; their other routes say it so. */
function saysNoFolder({ body }: Answer): boolean {
  return typeof body?.['message'] === 'string' && /^folder .*not found/iu.test(body['message']);
}
