import type { EnvVariable, MCPServerInput, ToolCallResult } from '@mcpinfra/core';
import type { ContainerSpec } from '@mcpinfra/core/plugin';
import type { ProcessSpec } from '@mcpinfra/provider-process';
import type { Place } from './place.js';

/** The names of the servers, each `@modelcontextprotocol/server-<name>`. */
export type ServerName = 'everything' | 'filesystem' | 'memory';

/** An instance of a server, and a call that shows that it works. */
export interface QuickstartInstance {
  readonly name: string;
  readonly server: ServerName;
  readonly jsonSpec: ProcessSpec | ContainerSpec;
  readonly call: ToolCall;
  readonly place: Place;
}

/** A tool, and what it has to answer. */
export interface ToolCall {
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Tells what a right answer says. */
  readonly describe: (answer: string) => string | undefined;
}

/** A variable that every server here is given, so that a later run knows the processes of an earlier one. */
export const startedBy = { name: 'STARTED_BY', value: 'mcpinfra-quickstart' } as const satisfies EnvVariable;

/** The definitions of the servers: what each instance of one has in common. */
export const serverDefinitions: readonly (MCPServerInput & { readonly name: ServerName })[] = [
  { name: 'everything', envSchema: [startedBy, { name: 'API_KEY', required: true, secret: true }] },
  { name: 'filesystem', envSchema: [startedBy] },
  { name: 'memory', envSchema: [startedBy] },
];

/** Asks the everything server for its environment. The key is compared, never printed. */
export function getEnvironment(apiKey: string): ToolCall {
  return {
    tool: 'get-env',
    arguments: {},
    describe: (answer) => {
      const environment = JSON.parse(answer) as Record<string, unknown>;
      return environment['API_KEY'] === apiKey ? 'API_KEY has arrived' : undefined;
    },
  };
}

/** Asks the filesystem server what is in a folder. */
export function listFolder(path: string, entry: string): ToolCall {
  return {
    tool: 'list_directory',
    arguments: { path },
    describe: (answer) => (answer.includes(`] ${entry}`) ? `${entry} is there` : undefined),
  };
}

/** Asks the memory server for everything it knows. */
export function readGraph(): ToolCall {
  return {
    tool: 'read_graph',
    arguments: {},
    describe: (answer) => {
      const { entities } = JSON.parse(answer) as { entities?: unknown[] };
      return entities && `a graph of ${entities.length} entities`;
    },
  };
}

/** Takes the text out of a tool's answer. */
export function textOf({ content }: ToolCallResult): string {
  const text = content[0]?.['text'];
  return typeof text === 'string' ? text : '';
}
