import { Client, type ClientOptions, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { onTestFinished } from 'vitest';
import { ServerProcess } from './server-process.js';

export type Era = 'legacy' | 'modern';

export function createClient(era: Era, options: ClientOptions = {}): Client {
  const mode = era === 'legacy' ? 'legacy' : { pin: '2026-07-28' };
  const client = new Client(
    { name: 'tools-test', version: '1.0.0' },
    { ...options, versionNegotiation: { mode } },
  );
  onTestFinished(() => client.close());
  return client;
}

/** Starts the script as a child of the client. */
export async function connectStdio(
  client: Client,
  [script, ...argv]: readonly [string, ...string[]],
): Promise<void> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [script, ...argv],
    stderr: 'ignore',
  });
  await client.connect(transport, { timeout: 10_000 });
}

export async function connectHttp(client: Client, url: string): Promise<StreamableHTTPClientTransport> {
  const transport = new StreamableHTTPClientTransport(new URL(url));
  await client.connect(transport, { timeout: 10_000 });
  return transport;
}

/** Connects to a server of the script over the transport, started for this test. */
export async function connectTo(script: string, over: 'stdio' | 'http', client: Client): Promise<void> {
  if (over === 'stdio') await connectStdio(client, [script, '--stdio']);
  else await connectHttp(client, await new ServerProcess(script, ['--http']).url());
}

/** The text of a tool's answer. */
export async function callText(
  client: Client,
  name: string,
  args: Record<string, unknown> = {},
): Promise<string> {
  const { content } = await client.callTool({ name, arguments: args });
  const [part] = content;
  if (part?.type !== 'text') throw new Error(`${name} returned no text: ${JSON.stringify(content)}`);
  return part.text;
}
