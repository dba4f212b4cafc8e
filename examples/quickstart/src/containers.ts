import type { ContainerSpec, Provider } from '@mcpinfra/core/plugin';
import { dockerProvider } from '@mcpinfra/provider-docker';
import { buildImages, packageLayer, ServiceUnavailable, type ImageSpec } from '@mcpinfra/tools';
import type { Engine } from './engine.js';
import { imagePrefix, serverContainers } from './server-containers.js';
import {
  getEnvironment,
  listFolder,
  readGraph,
  serverDefinitions,
  type QuickstartInstance,
  type ServerName,
} from './servers.js';

// Here and not in quickstart.ts, so that a run without an engine loads none of it.

/** The provider of containers, and an instance of each server. */
export interface Containers {
  readonly provider: Provider<ContainerSpec>;
  readonly instances: readonly QuickstartInstance[];
  /** The names of the images. */
  readonly images: string;
}

/** Where images have the packages of servers. */
const modules = '/app/node_modules';

/**
 * Makes an image of each server on the engine, of this machine's Node and the server's packages: no registry is asked.
 * Gives a text that says why this machine cannot.
 */
export async function prepareContainers(engine: Engine, apiKey: string): Promise<Containers | string> {
  try {
    await buildImages(engine, await Promise.all(serverDefinitions.map(async ({ name }) => imageOf(name))));
  } catch (error) {
    if (error instanceof ServiceUnavailable) return error.message;
    throw error;
  }
  return {
    provider: dockerProvider({ socketPath: engine.socketPath }),
    instances: containerInstances(engine, apiKey),
    images: `${imagePrefix}* and mcp/node:test`,
  };
}

async function imageOf(server: ServerName): Promise<ImageSpec> {
  const name = `@modelcontextprotocol/server-${server}`;
  return {
    tag: `${imagePrefix}${server}:latest`,
    files: await packageLayer(name),
    entry: [`${modules}/${name}/dist/index.js`],
  };
}

function containerInstances(engine: Engine, apiKey: string): readonly QuickstartInstance[] {
  const place = serverContainers(engine);
  return [
    {
      name: 'everything-docker',
      server: 'everything',
      jsonSpec: {
        type: 'docker',
        image: `${imagePrefix}everything:latest`,
        environment: { API_KEY: 'secret_ref:instance_123:API_KEY' },
        // Over HTTP it has a network of its own, over stdio none at all.
        ...(engine.sharesNetwork ? { command: ['streamableHttp'], port: 3001 } : {}),
      },
      call: getEnvironment(apiKey),
      place,
    },
    {
      name: 'filesystem-docker',
      server: 'filesystem',
      jsonSpec: { type: 'docker', image: `${imagePrefix}filesystem:latest`, command: [modules] },
      call: listFolder(modules, '@modelcontextprotocol'),
      place,
    },
    {
      name: 'memory-docker',
      server: 'memory',
      jsonSpec: { type: 'docker', image: `${imagePrefix}memory:latest` },
      call: readGraph(),
      place,
    },
  ];
}
