import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  createMCPInfra,
  MCPInfraError,
  memoryStore,
  type Event,
  type MCPInfra,
  type MCPInfraOptions,
} from '@mcpinfra/core';
import type { Provider } from '@mcpinfra/core/plugin';
import type { ProcessSpec } from '@mcpinfra/provider-process';
import { recordingLogger } from '@mcpinfra/core/testing';
import { processProvider } from '@mcpinfra/provider-process';
import { fixtureServer, hostileServer } from '@mcpinfra/tools';
import { expect, onTestFinished } from 'vitest';
import { bearersOf } from '../fleet.js';

export { bearersOf, until } from '../fleet.js';

type Options = Partial<Omit<MCPInfraOptions<readonly [Provider<ProcessSpec>]>, 'providers'>>;

/** A host with a fleet of its own; stopped and checked for remains when the test is over. */
export interface Host {
  readonly infra: MCPInfra<ProcessSpec>;
  readonly fleet: string;
  readonly events: Event[];
  readonly logger: ReturnType<typeof recordingLogger>;
  /** Creates an instance that is spoken to over its standard streams, or as the document says. */
  create(jsonSpec: Omit<ProcessSpec, 'type'>, name?: string): Promise<string>;
}

export async function startHost(options: Options = {}): Promise<Host> {
  const fleet = `test-${randomUUID()}`;
  const logger = recordingLogger();
  const infra = createMCPInfra({
    providers: [processProvider()],
    store: memoryStore({ fleet }),
    logger,
    ...options,
  });
  await infra.start();
  const events: Event[] = [];
  infra.events.on('*', (event) => {
    events.push(event);
  });
  onTestFinished(async () => {
    await infra.stop();
    expect(bearersOf(fleet)).toEqual([]);
  });
  const create: Host['create'] = async (jsonSpec, name = `i-${randomUUID()}`) => {
    const { id } = await infra.instances.create({ name, jsonSpec: { type: 'process', ...jsonSpec } });
    return id;
  };
  return { infra, fleet, events, logger, create };
}

/** The fixture server, over stdio. */
export const fixture = (...args: string[]): string[] => [process.execPath, fixtureServer, '--stdio', ...args];
/** The fixture server, over HTTP at the port it is given. */
export const httpFixture = (...args: string[]): string[] => [
  process.execPath,
  fixtureServer,
  '--http',
  ...args,
];
/** The hostile server. */
export const hostile = (...args: string[]): string[] => [process.execPath, hostileServer, ...args];

/** The command line of a real MCP server from its npm package. */
export function npmServer(name: string, ...args: string[]): string[] {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve(`${name}/package.json`);
  const { bin } = require(manifest) as { bin: Record<string, string> };
  const [file] = Object.values(bin);
  return [process.execPath, join(dirname(manifest), file ?? expect.fail(`${name} has no bin`)), ...args];
}

/** A directory that is removed when the test is over. */
export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'mcpinfra-test-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** The error of this library that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<MCPInfraError> {
  const error: unknown = await promise.then(
    () => expect.fail('it was not refused'),
    (reason: unknown) => reason,
  );
  return MCPInfraError.isInstance(error)
    ? error
    : expect.fail(`not an error of the library: ${String(error)}`);
}

/** A signal for waits that must not take for ever. */
export const soon = (): { signal: AbortSignal } => ({ signal: AbortSignal.timeout(20_000) });

/** The text of a tool's answer. */
export function textOf(result: { readonly content: readonly unknown[] }): string {
  return result.content.map((part) => (part as { text?: string }).text ?? '').join('');
}
