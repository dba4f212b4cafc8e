import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import type Docker from 'dockerode';
import type { Container, ContainerCreateOptions, ContainerInspectInfo, Network } from 'dockerode';
import { greetOverHTTP, greetOverStdio } from './greet.js';
import type { Life, Transport } from './life.js';
import { RawDeaths } from './raw-deaths.js';

/** Lives of containers that are made by the bare engine, with everything that those of core are made with. */
export class RawContainers {
  readonly #docker: Docker;
  readonly #port: number;
  readonly #label = { 'bench.mcpinfra.io/run': randomUUID() };
  readonly #patterns = new Map<Transport, ContainerInspectInfo>();
  readonly #deaths: RawDeaths;
  #networks = 0;

  constructor(docker: Docker, port: number) {
    this.#docker = docker;
    this.#port = port;
    this.#deaths = new RawDeaths(docker, this.#filter());
  }

  /** Takes a container of core as the pattern of those to come. */
  makeLike(transport: Transport, pattern: ContainerInspectInfo): void {
    this.#patterns.set(transport, pattern);
  }

  async live(transport: Transport, signal: AbortSignal): Promise<Life> {
    await this.#deaths.open();
    const pattern = this.#patterns.get(transport);
    if (!pattern) throw new Error('Expected a container of core before the first raw one.');
    let network: Network | undefined;
    let container: Container | undefined;
    try {
      const startedMs = performance.now();
      if (transport === 'http') network = await this.#createNetwork();
      container = await this.#docker.createContainer(this.#document(pattern, network?.id ?? 'none'));
      await this.#serve(container, transport, signal);
      const readyMs = performance.now() - startedMs;

      const { State } = await container.inspect();
      const died = this.#deaths.of(container.id, signal);
      const killedMs = performance.now();
      process.kill(State.Pid, 'SIGKILL');
      await died;
      const crashSeenMs = performance.now() - killedMs;
      await this.#serve(container, transport, signal);
      return { readyMs, crashSeenMs, crashServingMs: performance.now() - killedMs };
    } finally {
      await container?.remove({ force: true, v: true });
      await network?.remove();
    }
  }

  async close(): Promise<void> {
    this.#deaths.close();
    for (const { Id } of await this.#docker.listContainers({ all: true, filters: this.#filter() }))
      await this.#docker.getContainer(Id).remove({ force: true, v: true });
    for (const { Id } of await this.#docker.listNetworks({ filters: this.#filter() }))
      await this.#docker.getNetwork(Id).remove();
  }

  /** Starts a container and waits for its first answer. */
  async #serve(container: Container, transport: Transport, signal: AbortSignal): Promise<void> {
    if (transport === 'http') {
      await container.start();
      const { NetworkSettings } = await container.inspect();
      const [network] = Object.values(NetworkSettings.Networks);
      await greetOverHTTP(`http://${network?.IPAddress ?? ''}:${this.#port}/mcp`, signal);
      return;
    }
    // It ends with the container.
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, hijack: true });
    const output = new PassThrough();
    this.#docker.modem.demuxStream(stream, output, new PassThrough());
    stream.once('close', () => output.end());
    await container.start();
    await greetOverStdio(stream, output);
  }

  async #createNetwork(): Promise<Network> {
    this.#networks += 1;
    // Next to the range core takes its networks from.
    const place = this.#networks % 4_096;
    const subnet = `10.202.${Math.floor(place / 16)}.${(place % 16) * 16}/28`;
    return this.#docker.createNetwork({
      Name: `bench-${randomUUID()}`,
      Driver: 'bridge',
      Internal: true,
      Labels: this.#label,
      IPAM: { Driver: 'default', Config: [{ Subnet: subnet }] },
    });
  }

  #document({ Config, HostConfig }: ContainerInspectInfo, network: string): ContainerCreateOptions {
    const { Image, User, Env, Cmd, AttachStdin, AttachStdout, AttachStderr, OpenStdin, StdinOnce, Tty } =
      Config;
    return {
      ...{ Image, User, Env, Cmd, AttachStdin, AttachStdout, AttachStderr, OpenStdin, StdinOnce, Tty },
      Healthcheck: { Test: ['NONE'] },
      Labels: this.#label,
      HostConfig: { ...HostConfig, NetworkMode: network },
    };
  }

  #filter(): { label: string[] } {
    return { label: Object.entries(this.#label).map(([name, value]) => `${name}=${value}`) };
  }
}
