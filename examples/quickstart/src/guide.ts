// The code of the README's sections. It is compiled, and test/guide.test.ts runs it.

import {
  createMCPInfra,
  MCPInfraError,
  memorySecrets,
  memoryStore,
  processEnvSecrets,
  type FleetDocument,
  type MCPInfra,
} from '@mcpinfra/core';
import type { ContainerSpec } from '@mcpinfra/core/plugin';
import type { ProcessSpec } from '@mcpinfra/provider-process';
import type { UrlSpec } from '@mcpinfra/provider-url';
import { dockerProvider } from '@mcpinfra/provider-docker';
import { processProvider } from '@mcpinfra/provider-process';
import { urlProvider } from '@mcpinfra/provider-url';

type Infra = MCPInfra<ProcessSpec>;

/** Wires where secrets are found. */
export function wireSecrets(): Infra {
  //#region wire-secrets
  const infra = createMCPInfra({
    providers: [processProvider()],
    // Asked in order. The first that can be written to, here the second, keeps what instances are given in clear.
    secrets: [
      processEnvSecrets({ variables: { 'instance_123:API_KEY': 'EVERYTHING_API_KEY' } }),
      memorySecrets(),
    ],
  });
  //#endregion
  return infra;
}

/** Gives an instance secrets and rotates one. */
export async function useSecrets(infra: Infra, server: string): Promise<string> {
  //#region secrets
  const { id, jsonSpec } = await infra.instances.create({
    name: 'with secrets',
    jsonSpec: {
      type: 'process',
      command: ['node', server],
      environment: {
        API_KEY: 'secret_ref:instance_123:API_KEY',
        DATABASE_URL: 'postgres://app:${secret_ref:instance_123:API_KEY}@db/app',
        SESSION_SECRET: 'given in clear',
      },
    },
  });
  console.log(jsonSpec.environment?.['SESSION_SECRET']); // secret_ref:instance_<id>:environment.SESSION_SECRET.<version>
  await infra.environment.rotate(id, 'SESSION_SECRET', 'a new value'); // the running copy is replaced
  //#endregion
  return id;
}

/** Hears of failures. */
export function hearFailures(infra: Infra): () => void {
  //#region hear-failures
  const off = infra.events.on('MCPServerInstanceStatusChanged', ({ data }) => {
    if (data.to === 'failed') console.error(data.name, data.reason, data.message, data.nextRetryAt);
  });
  //#endregion
  return off;
}

/** Waits for an instance that cannot start. */
export async function waitForFailure(infra: Infra): Promise<void> {
  //#region failures
  const { id } = await infra.instances.create({
    name: 'broken',
    jsonSpec: { type: 'process', command: ['no-such-command'] },
  });
  try {
    await infra.instances.waitUntilReady(id, { signal: AbortSignal.timeout(30_000) });
  } catch (error) {
    if (!MCPInfraError.isInstance(error)) throw error;
    console.error(error.code); // COMMAND_NOT_FOUND
    console.error(error.remedy); // Install the command, or correct the path in json_spec.command.
  }
  //#endregion
}

/** Changes what an instance runs. */
export async function update(infra: Infra, id: string): Promise<void> {
  //#region update
  await infra.instances.update(
    id,
    { jsonSpec: { environment: { LOG_LEVEL: 'debug' } } }, // a merge patch: null removes a field
    { wait: true },
  );
  //#endregion
}

/** Makes an instance that runs only while it is used. */
export async function sleepAndWake(infra: Infra, server: string): Promise<string> {
  //#region on-demand
  const { id } = await infra.instances.create({
    name: 'on demand',
    jsonSpec: {
      type: 'process',
      command: ['node', server],
      lifecycle: { start: 'on-demand', idle_timeout: 2 }, // seconds
    },
  });
  await infra.instances.waitFor(id, 'idle', { signal: AbortSignal.timeout(30_000) }); // no process runs
  await infra.instances.callTool(id, 'echo', { message: 'wake up' }); // starts it, then calls
  //#endregion
  return id;
}

/** Makes a fleet like a document. */
export async function applyDocument(infra: Infra, server: string): Promise<FleetDocument> {
  //#region apply
  const result = await infra.apply({
    servers: [{ name: 'everything', envSchema: [{ name: 'LOG_LEVEL', choices: ['info', 'debug'] }] }],
    instances: [
      {
        name: 'everything',
        server: 'everything',
        jsonSpec: { type: 'process', command: ['node', server], environment: { LOG_LEVEL: 'info' } },
      },
    ],
    prune: true, // what the document does not name is removed
  });
  console.log(result.created, result.updated, result.unchanged, result.removed, result.errors);
  //#endregion
  return infra.export();
}

/** Keeps a fleet in a file. */
export async function keepInFile(): Promise<Infra> {
  //#region file
  const infra = createMCPInfra({
    providers: [processProvider()],
    store: memoryStore({ file: 'fleet.json' }),
  });
  await infra.start(); // the same instances as before, running again as new processes
  //#endregion
  return infra;
}

/** Wires a container engine. */
export function wireContainers(socketPath: string): MCPInfra<ContainerSpec> {
  //#region wire-containers
  const infra = createMCPInfra({
    // Without socketPath it is /var/run/docker.sock. What a document asks for beyond these bounds is refused.
    providers: [dockerProvider({ socketPath, maxMemory: '2g', allowVolumes: ['/srv/docs'] })],
    store: memoryStore({ file: 'fleet.json' }), // a host that comes back finds its containers, and adopts them
  });
  //#endregion
  return infra;
}

/** Runs a server in a container. */
export async function runContainer(infra: MCPInfra<ContainerSpec>): Promise<string> {
  //#region container
  const { id } = await infra.instances.create({
    name: 'fs-instance-1',
    jsonSpec: {
      type: 'docker',
      image: 'mcp/filesystem:latest',
      port: 8001, // the server's, inside the container: nothing is published
      environment: { ALLOWED_DIRECTORIES: '/data' },
      resources: { memory_limit: '256m', cpu_limit: '0.5' },
      health_check: '/health',
    },
  });
  await infra.instances.waitUntilReady(id, { signal: AbortSignal.timeout(60_000) });
  //#endregion
  return id;
}

/** Wires servers that run elsewhere. */
export function wireRemote(): MCPInfra<UrlSpec> {
  //#region wire-remote
  const infra = createMCPInfra({
    providers: [urlProvider({ allow: ['localhost'] })], // else public addresses only
    secrets: [processEnvSecrets({ variables: { 'external:TOKEN': 'EXTERNAL_TOKEN' } })],
  });
  //#endregion
  return infra;
}

/** Reaches a server that runs elsewhere. */
export async function reachRemote(infra: MCPInfra<UrlSpec>, endpoint: string): Promise<string> {
  //#region remote
  const { id } = await infra.instances.create({
    name: 'external-instance-1',
    jsonSpec: {
      type: 'url',
      endpoint, // such as http://localhost:3333/mcp
      authentication: { type: 'bearer', token: 'secret_ref:external:TOKEN' },
      health_check: { path: '/health', interval: 30 },
    },
  });
  await infra.instances.waitUntilReady(id, { signal: AbortSignal.timeout(30_000) });
  //#endregion
  return id;
}
