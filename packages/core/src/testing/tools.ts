import { isObject } from '../plugin.js';

/** What the handler of a tool is told besides its arguments. */
export interface ToolContext {
  /** The environment of the copy as it was resolved at its start: secrets in clear, `MCP_*` variables included. */
  readonly environment: Readonly<Record<string, string>>;
  readonly instanceId: string;
  /** Aborted when the caller cancels the call and when the server ends. */
  readonly signal: AbortSignal;
  /** Writes a line to the logs of the server. */
  log(line: string): void;
}

/**
 * What a tool does. A text becomes a text block, an object structured content besides its JSON, a whole
 * `CallToolResult` is passed through; what is thrown becomes a result with `isError`.
 */
export type ToolHandler = (args: Readonly<Record<string, unknown>>, context: ToolContext) => unknown;

/** A tool with what it tells of itself. */
export interface TestTool {
  readonly description?: string | undefined;
  /** A JSON Schema. @defaultValue any object */
  readonly inputSchema?: Readonly<Record<string, unknown>> | undefined;
  readonly handler: ToolHandler;
}

/** Tools by their names. */
export type TestTools = Readonly<Record<string, ToolHandler | TestTool>>;

/** Writes tools as a server lists them (MCP `Tool`). */
export function describeTools(tools: TestTools): readonly Readonly<Record<string, unknown>>[] {
  return Object.entries(tools).map(([name, tool]) => {
    const { description, inputSchema = { type: 'object' } } = typeof tool === 'function' ? {} : tool;
    return { name, ...(description === undefined ? {} : { description }), inputSchema };
  });
}

/** Runs a tool and makes an MCP result (`CallToolResult`) of whatever comes of it. Never rejects. */
export async function runTool(
  tool: ToolHandler | TestTool,
  args: Readonly<Record<string, unknown>>,
  context: ToolContext,
): Promise<Readonly<Record<string, unknown>>> {
  const handler = typeof tool === 'function' ? tool : tool.handler;
  try {
    return resultOf(await handler(args, context));
  } catch (error) {
    return { ...text(error instanceof Error ? error.message : String(error)), isError: true };
  }
}

function resultOf(value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined) return { content: [] };
  if (typeof value === 'string') return text(value);
  if (!isObject(value)) return text(JSON.stringify(value));
  if (Array.isArray(value['content'])) return value;
  return { ...text(JSON.stringify(value)), structuredContent: value };
}

function text(line: string): Readonly<Record<string, unknown>> {
  return { content: [{ type: 'text', text: line }] };
}
