import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createMCPInfra,
  memoryStore,
  type Event,
  type MCPInfra,
  type MCPInfraOptions,
  type MCPServerInstance,
} from '@mcpinfra/core';
import type { ContainerSpec, Provider } from '@mcpinfra/core/plugin';
import { recordingLogger } from '@mcpinfra/core/testing';
import { dockerProvider, type DockerProviderOptions } from '@mcpinfra/provider-docker';
import { seedImages, startDockerEngine, type DockerEngine, type SeedImage } from '@mcpinfra/tools';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import Docker from 'dockerode';
import { expect, onTestFinished } from 'vitest';

type Options = Partial<Omit<MCPInfraOptions<readonly [Provider<ContainerSpec>]>, 'providers'>>;

/** A host with a fleet of its own; when the test is over it is stopped, and nothing of its fleet may be left. */
export interface Host {
  readonly infra: MCPInfra<ContainerSpec>;
  readonly fleet: string;
  readonly events: Event[];
  readonly logger: ReturnType<typeof recordingLogger>;
  create(jsonSpec: Omit<ContainerSpec, 'type'>, name?: string): Promise<MCPServerInstance>;
}

/** An engine with the images, for the tests of a file. */
export function engineWith(...images: SeedImage[]): () => DockerEngine {
  return serviceOrSkip(async () => {
    const engine = await startDockerEngine();
    await seedImages(engine, images);
    return engine;
  });
}

export async function startHost(
  { socketPath }: Pick<DockerEngine, 'socketPath'>,
  options: Options & { readonly docker?: DockerProviderOptions; readonly fleet?: string } = {},
): Promise<Host> {
  const { docker, fleet = `test-${randomUUID()}`, ...rest } = options;
  const logger = recordingLogger();
  const infra = createMCPInfra({
    providers: [dockerProvider({ socketPath, ...docker })],
    store: memoryStore({ fleet }),
    logger,
    ...rest,
  });
  await infra.start();
  const events: Event[] = [];
  infra.events.on('*', (event) => {
    events.push(event);
  });
  onTestFinished(async () => {
    const { items } = await infra.instances.list();
    await Promise.all(items.map(({ id }) => infra.instances.delete(id, { wait: true, ...soon() })));
    await infra.stop();
    expect(await remains(socketPath, fleet)).toEqual([]);
  });
  const create: Host['create'] = async (jsonSpec, name = `i-${randomUUID().slice(0, 8)}`) =>
    infra.instances.create({ name, jsonSpec: { type: 'docker', ...jsonSpec } });
  return { infra, fleet, events, logger, create };
}

/** A client of the engine that is not ours. */
export function rawEngine(socketPath: string): Docker {
  return new Docker({ socketPath });
}

/** The containers of a fleet. */
export async function containersOf(socketPath: string, fleet: string): Promise<Docker.ContainerInfo[]> {
  const filters = { label: [`io.mcpinfra.fleet=${fleet}`] };
  return rawEngine(socketPath).listContainers({ all: true, filters });
}

/** The names of everything the engine has of a fleet; those of networks without what makes them unique. */
export async function remains(socketPath: string, fleet: string): Promise<string[]> {
  const filters = { label: [`io.mcpinfra.fleet=${fleet}`] };
  const networks = await rawEngine(socketPath).listNetworks({ filters });
  const containers = await containersOf(socketPath, fleet);
  return [
    ...containers.flatMap(({ Names: names }) => names),
    ...networks.map(({ Name: name }) => name.replace(/-[0-9a-f]{4}$/u, '')),
  ];
}

/** The container of an instance, in full. */
export async function inspect(
  socketPath: string,
  { slug }: Pick<MCPServerInstance, 'slug'>,
  revision = 1,
): Promise<Docker.ContainerInspectInfo> {
  return rawEngine(socketPath)
    .getContainer(`mcp-${slug}-r${String(revision)}`)
    .inspect();
}

/** Kills the server's own process in a container, not the init above it. */
export function killServer(
  { State: { Pid: init } }: Docker.ContainerInspectInfo,
  pids: readonly number[],
): void {
  const server = pids.find((pid) => pid !== init) ?? expect.fail('the container has no server');
  process.kill(server, 'SIGKILL');
}

/** The pids of a container's processes as this machine knows them. */
export async function pidsOf(socketPath: string, id: string): Promise<number[]> {
  const top = (await rawEngine(socketPath).getContainer(id).top()) as {
    Titles: string[];
    Processes: string[][];
  };
  const column = top.Titles.indexOf('PID');
  return top.Processes.map((row) => Number(row[column]));
}

/** Asks until it is so. */
export async function until(isSo: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > deadline)
      expect.fail(`not so within ${String(timeoutMs)} ms: ${isSo.toString()}`);
    await sleep(20);
  }
}

/** A signal for waits that must not take for ever. */
export const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(25_000) });

/** The text of a tool's answer. */
export function textOf(result: { readonly content: readonly unknown[] }): string {
  return result.content.map((part) => (part as { text?: string }).text ?? '').join('');
}

/** The fixture server over HTTP. */
export const httpFixture: Omit<ContainerSpec, 'type'> = {
  image: 'mcp/test:latest',
  port: 8000,
  command: ['--http', '--host', '0.0.0.0', '--port', '8000'],
};
/** The fixture server over stdio. */
export const stdioFixture: Omit<ContainerSpec, 'type'> = { image: 'mcp/test:latest' };
/** The hostile server over stdio. */
export const hostile = (...command: string[]): Omit<ContainerSpec, 'type'> => ({
  image: 'mcp/hostile:latest',
  command,
});
