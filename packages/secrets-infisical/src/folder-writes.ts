import { KeyedTurns, type Secret } from '@mcpinfra/core/plugin';
import { type Answer, isSuccess } from './api/answer.js';
import type { Ask, RouteName } from './api/ask.js';
import type { Bounds } from './api/bounds.js';
import { failure } from './api/failure.js';
import type { InfisicalApi } from './api/infisical-api.js';
import { readFolder } from './read-folder.js';
import { armoured } from './mapping/armoured-value.js';
import { folderKey, type Folder } from './mapping/locations.js';

/** Changes the secrets of folders. Calls about one folder take turns: servers may make two secrets of one name at once. */
export class FolderWrites {
  readonly #api: InfisicalApi;
  readonly #turns = new KeyedTurns();

  constructor(api: InfisicalApi) {
    this.#api = api;
  }

  /** Writes a value, with the folders above it where they are missing. */
  async put(
    folder: Folder,
    { name, value }: { readonly name: string; readonly value: Secret },
    bounds: Bounds,
  ): Promise<void> {
    const body = { secretValue: armoured(value.reveal()) };
    const write = (route: RouteName): Promise<Answer> => this.#ask({ route, name, body }, folder, bounds);
    await this.#turns.take(folderKey(folder), bounds.signal, async () => {
      let answer = await write('update');
      // What is absent is said in several ways, so each step does what the one before may have lacked.
      if (!isSuccess(answer)) answer = await write('create');
      if (!isSuccess(answer)) {
        await this.#createFolders(folder, bounds);
        answer = await write('create');
      }
      // Another process may have been faster.
      if (!isSuccess(answer)) answer = await write('update');
      this.#accept(answer, { route: 'create', name }, folder);
    });
  }

  /** Deletes one secret. Absent resolves. */
  async remove(folder: Folder, name: string, bounds: Bounds): Promise<void> {
    await this.#turns.take(folderKey(folder), bounds.signal, () => this.#remove(folder, name, bounds));
  }

  /** Deletes every secret of a folder. The empty folder stays. */
  async clear(folder: Folder, bounds: Bounds): Promise<void> {
    await this.#turns.take(folderKey(folder), bounds.signal, async () => {
      const secrets = await readFolder(this.#api, folder, bounds);
      await Promise.all([...secrets.keys()].map((name) => this.#remove(folder, name, bounds)));
    });
  }

  async #remove(folder: Folder, name: string, bounds: Bounds): Promise<void> {
    const ask: Ask = { route: 'remove', name, body: {} };
    const answer = await this.#ask(ask, folder, bounds);
    // An answer of absence may be about the project or the environment: the list tells.
    const isGone = !isSuccess(answer) && !(await readFolder(this.#api, folder, bounds)).has(name);
    if (!isGone) this.#accept(answer, ask, folder);
  }

  async #createFolders(folder: Folder, bounds: Bounds): Promise<void> {
    const names = folder.path.split('/').filter((name) => name !== '');
    for (const [depth, name] of names.entries()) {
      const { projectId: workspaceId, environment } = folder;
      const path = `/${names.slice(0, depth).join('/')}`;
      // That one exists already may be said by a refusal; whether all are there shows when the secret is written.
      await this.#api.call(
        { route: 'folder', body: { workspaceId, environment, path, name } },
        folder,
        bounds,
      );
    }
  }

  async #ask(ask: Ask, folder: Folder, bounds: Bounds): Promise<Answer> {
    const { projectId: workspaceId, environment, path: secretPath } = folder;
    const body = { ...ask.body, workspaceId, environment, secretPath, type: 'shared' };
    return this.#api.call({ ...ask, body }, folder, bounds);
  }

  #accept(answer: Answer, ask: Ask, folder: Folder): void {
    if (!isSuccess(answer)) throw this.#api.refusal(ask, folder, answer);
    if (answer.body?.['approval'] === undefined) return;
    const { environment, path } = folder;
    throw failure(
      'approval-required',
      `Infisical keeps the change of ${path} in environment ${environment} for approval: exempt the path from the approval policy.`,
      { environment, path },
    );
  }
}
