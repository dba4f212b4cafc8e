import Docker from 'dockerode';
import type { MCPInfra } from '@mcpinfra/core';
import type { ContainerSpec } from '@mcpinfra/core/plugin';
import { dockerProvider } from '@mcpinfra/provider-docker';
import { type DockerEngine, seedImages, startDockerEngine } from '@mcpinfra/tools';
import type { Ground } from './ground.js';
import type { Life, Transport } from './life.js';
import { RawContainers } from './raw-containers.js';

const image = 'mcp/test:latest';
const port = 8000;

/** Containers of a Docker engine. */
export class DockerGround implements Ground {
  readonly name = 'containers';
  readonly provider: Ground['provider'];
  readonly #engine: DockerEngine;
  readonly #docker: Docker;
  readonly #raw: RawContainers;

  private constructor(engine: DockerEngine) {
    this.#engine = engine;
    this.provider = dockerProvider({ socketPath: engine.socketPath });
    this.#docker = new Docker({ socketPath: engine.socketPath });
    this.#raw = new RawContainers(this.#docker, port);
  }

  /** @throws ServiceUnavailable where there is no engine and none can be started */
  static async open(): Promise<DockerGround> {
    const engine = await startDockerEngine();
    try {
      await seedImages(engine, [image]);
      return new DockerGround(engine);
    } catch (error) {
      await engine.stop();
      throw error;
    }
  }

  document(transport: Transport): ContainerSpec {
    return transport === 'stdio'
      ? { type: 'docker', image, transport }
      : { type: 'docker', image, port, command: ['--http', '--host', '0.0.0.0', '--port', String(port)] };
  }

  /** Keeps how the container was made, so that the raw ones are made alike. */
  async pidOf(
    _infra: MCPInfra,
    { id, transport }: { readonly id: string; readonly transport: Transport },
  ): Promise<number> {
    const label = [`io.mcpinfra.instance=${id}`];
    const [found] = await this.#docker.listContainers({ filters: { label } });
    if (!found) throw new Error(`There is no running container of the instance ${id}.`);
    const container = await this.#docker.getContainer(found.Id).inspect();
    this.#raw.makeLike(transport, container);
    return container.State.Pid;
  }

  async liveRaw(transport: Transport, signal: AbortSignal): Promise<Life> {
    return this.#raw.live(transport, signal);
  }

  async close(): Promise<void> {
    try {
      await this.#raw.close();
    } finally {
      await this.#engine.stop();
    }
  }
}
