import type { EngineApi } from './engine-api.js';

interface Listed {
  readonly Id: string;
  readonly Name?: string;
}

/** Networks every engine has, and keeps. */
const builtIn = new Set(['none', 'host', 'bridge']);

/** Removes all containers and networks, so that the engine leaves no bridge and no firewall rule when it ends. */
export async function clearEngine(api: EngineApi): Promise<void> {
  const containers = await api.json<Listed[]>('GET', '/containers/json?all=1');
  for (const { Id } of containers) await api.text('DELETE', `/containers/${Id}?force=1&v=1`);
  const networks = await api.json<Listed[]>('GET', '/networks');
  for (const { Id, Name = '' } of networks) {
    if (!builtIn.has(Name)) await api.text('DELETE', `/networks/${Id}`);
  }
}
