import { isSurelyDead, parseEphemeralFleet } from '@mcpinfra/core/plugin';
import { askEngine, type Engine } from './engine.js';
import type { Place } from './place.js';

interface Listed {
  readonly Id: string;
  readonly Image?: string;
  /** Of a container. */
  readonly Names?: readonly string[];
  /** Of a network. */
  readonly Name?: string;
  readonly Labels: Readonly<Record<string, string>>;
}

interface Inspected {
  readonly State: { readonly Running: boolean; readonly Pid: number };
}

const fleetLabel = 'io.mcpinfra.fleet';
const instanceLabel = 'io.mcpinfra.instance';

/** What the names of the quickstart's images begin with, so that a later run knows the containers of an earlier one. */
export const imagePrefix = 'mcpinfra-quickstart/';

/** The containers of an engine, told by the engine itself. */
export function serverContainers({ socketPath }: Pick<Engine, 'socketPath'>): Place {
  const list = async (what: 'containers/json' | 'networks', label: string): Promise<readonly Listed[]> => {
    const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
    return askEngine<readonly Listed[]>(socketPath, `/${what}?all=1&filters=${filters}`);
  };
  const ofInstance = async (id: string): Promise<readonly Listed[]> =>
    list('containers/json', `${instanceLabel}=${id}`);

  return {
    async pidsOf(instanceId) {
      const inspected = (await ofInstance(instanceId)).map(async ({ Id }) =>
        askEngine<Inspected>(socketPath, `/containers/${Id}/json`),
      );
      return (await Promise.all(inspected)).flatMap(({ State }) => (State.Running ? [State.Pid] : []));
    },
    async kill(instanceId) {
      for (const { Id } of await ofInstance(instanceId))
        await askEngine(socketPath, `/containers/${Id}/kill?signal=SIGKILL`, { method: 'POST' });
    },
    async remains(fleet) {
      const label = `${fleetLabel}=${fleet}`;
      return [...(await list('containers/json', label)), ...(await list('networks', label))].map(nameOf);
    },
    async abandoned() {
      const left: string[] = [];
      for (const container of await list('containers/json', fleetLabel)) {
        if (container.Image?.startsWith(imagePrefix) !== true) continue;
        const host = parseEphemeralFleet(container.Labels[fleetLabel] ?? '');
        if (host && (await isSurelyDead(host))) left.push(nameOf(container));
      }
      return left;
    },
  };
}

function nameOf({ Name, Names = [], Id }: Listed): string {
  return Name === undefined ? `container ${Names[0]?.slice(1) ?? Id}` : `network ${Name}`;
}
