import { fileURLToPath } from 'node:url';
import type { EnvVariable, MCPServerInput, ToolCallResult } from '@mcpinfra/core';
import type { ProcessSpec } from '@mcpinfra/core/plugin';

/** A server, the document of one instance of it, and a call that shows that it works. */
export interface QuickstartServer {
  readonly definition: MCPServerInput;
  readonly jsonSpec: ProcessSpec;
  readonly call: {
    readonly tool: string;
    readonly arguments: Readonly<Record<string, unknown>>;
    /** Tells what a right answer says. */
    readonly describe: (answer: string) => string | undefined;
  };
}

/** A variable that every server here is given, so that a later run knows the processes of an earlier one. */
export const startedBy = { name: 'STARTED_BY', value: 'mcpinfra-quickstart' } as const satisfies EnvVariable;

/**
 * Describes the three servers.
 *
 * @param apiKey - what the everything server must have received; compared, never printed
 * @throws when one of their packages is not installed
 */
export function quickstartServers(apiKey: string): readonly QuickstartServer[] {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  // The scripts themselves and not `npx`: one process for each server, and nothing is looked up.
  const everything = fileURLToPath(
    import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'),
  );
  const filesystem = fileURLToPath(
    import.meta.resolve('@modelcontextprotocol/server-filesystem/dist/index.js'),
  );
  const memory = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-memory/dist/index.js'));
  return [
    {
      definition: {
        name: 'everything',
        envSchema: [startedBy, { name: 'API_KEY', required: true, secret: true }],
      },
      jsonSpec: {
        type: 'process',
        command: [process.execPath, everything],
        environment: { API_KEY: 'secret_ref:instance_123:API_KEY' },
      },
      call: {
        tool: 'get-env',
        arguments: {},
        describe: (answer) => {
          const environment = JSON.parse(answer) as Record<string, unknown>;
          return environment['API_KEY'] === apiKey ? 'API_KEY has arrived' : undefined;
        },
      },
    },
    {
      definition: { name: 'filesystem', envSchema: [startedBy] },
      jsonSpec: { type: 'process', command: [process.execPath, filesystem, folder] },
      call: {
        tool: 'list_directory',
        arguments: { path: folder },
        describe: (answer) => (answer.includes('[FILE] package.json') ? 'package.json is there' : undefined),
      },
    },
    {
      definition: { name: 'memory', envSchema: [startedBy] },
      jsonSpec: { type: 'process', command: [process.execPath, memory] },
      call: {
        tool: 'read_graph',
        arguments: {},
        describe: (answer) => {
          const { entities } = JSON.parse(answer) as { entities?: unknown[] };
          return entities && `a graph of ${entities.length} entities`;
        },
      },
    },
  ];
}

/** Takes the text out of a tool's answer. */
export function textOf({ content }: ToolCallResult): string {
  const text = content[0]?.['text'];
  return typeof text === 'string' ? text : '';
}
