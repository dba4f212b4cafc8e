import type { ProtocolEraChoice } from '../plugin.js';
import type { JSONObject } from '../mcp/json-rpc.js';
import { isObject } from '../plugin.js';
import { type Answer, type Incoming, readLine, refuse } from './json-rpc.js';
import { describeTools, runTool, type TestTools, type ToolContext } from './tools.js';

/** What a server is made of. */
export interface InProcessServerOptions {
  /** What it tells as its name. */
  readonly name: string;
  /** Which revisions it speaks: those with `initialize`, the stateless one, or with `auto` both. */
  readonly era: ProtocolEraChoice;
  /** Asked for at each request, since tools may change. */
  readonly tools: () => TestTools;
  readonly context: Omit<ToolContext, 'signal'>;
  /** Writes a line to whoever reads the server's output. */
  readonly write: (line: string) => void;
}

const legacyVersions: readonly unknown[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];
const modernVersion = '2026-07-28';

/** Keys of `_meta` (MCP 2026-07-28, basic). */
const metaKey = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
} as const;

/** The error codes used here, from JSON-RPC and MCP 2026-07-28. */
const code = { methodNotFound: -32601, invalidParams: -32602, unsupportedVersion: -32022 } as const;

/** An MCP server in this process: a line of JSON-RPC in, lines out. It offers tools and nothing else. */
export class InProcessServer {
  readonly #options: InProcessServerOptions;
  readonly #calls = new Map<string | number, AbortController>();
  /** The ids of `subscriptions/listen` requests that stay open. */
  readonly #subscriptions = new Set<string | number>();
  #initialized = false;

  constructor(options: InProcessServerOptions) {
    this.#options = options;
  }

  /** Takes a line of its input. */
  receive(line: string): void {
    const message = readLine(line);
    if (message === null) return;
    const { id } = message;
    if (id === undefined) this.#notified(message);
    else void this.#answer(id, message);
  }

  /** Tells whoever wants to hear it that the tools are others now. */
  tellToolsChanged(): void {
    const method = 'notifications/tools/list_changed';
    if (this.#initialized) this.#send({ method });
    for (const id of this.#subscriptions)
      this.#send({ method, params: { _meta: { [metaKey.subscriptionId]: id } } });
  }

  /** Ends every call; none is answered any more. */
  end(): void {
    for (const call of this.#calls.values()) call.abort();
    this.#calls.clear();
  }

  async #answer(id: string | number, request: Incoming): Promise<void> {
    const call = new AbortController();
    this.#calls.set(id, call);
    const isModern = this.#isModern(request);
    const answer = isModern
      ? await this.#modern(id, request, call.signal)
      : await this.#legacy(request, call.signal);
    // A call that was cancelled is not answered, and one that stays open was acknowledged.
    if (this.#calls.get(id) !== call || answer === null) return;
    this.#calls.delete(id);
    this.#send({ id, ...answer });
  }

  #notified({ method, params }: Incoming): void {
    if (method !== 'notifications/cancelled') return;
    const id = params['requestId'];
    if (typeof id !== 'string' && typeof id !== 'number') return;
    this.#subscriptions.delete(id);
    this.#calls.get(id)?.abort();
    this.#calls.delete(id);
  }

  #isModern({ params }: Incoming): boolean {
    const { era } = this.#options;
    const meta = params['_meta'];
    return era === 'modern' || (era === 'auto' && isObject(meta) && metaKey.protocolVersion in meta);
  }

  async #legacy({ method, params }: Incoming, signal: AbortSignal): Promise<Answer> {
    switch (method) {
      case 'initialize': {
        this.#initialized = true;
        const asked = params['protocolVersion'];
        const protocolVersion = legacyVersions.includes(asked) ? asked : legacyVersions[0];
        return { result: { protocolVersion, ...this.#capabilities(), serverInfo: this.#serverInfo() } };
      }
      case 'ping':
        return { result: {} };
      case 'tools/list':
        return { result: { tools: describeTools(this.#options.tools()) } };
      case 'tools/call':
        return this.#callTool(params, signal);
      default:
        return methodNotFound(method);
    }
  }

  async #modern(
    id: string | number,
    { method, params }: Incoming,
    signal: AbortSignal,
  ): Promise<Answer | null> {
    const refused = refuseEnvelope(params);
    if (refused) return refused;
    switch (method) {
      case 'server/discover':
        return complete({
          supportedVersions: [modernVersion],
          ...this.#capabilities(),
          ...uncached,
          _meta: { [metaKey.serverInfo]: this.#serverInfo() },
        });
      case 'tools/list':
        return complete({ tools: describeTools(this.#options.tools()), ...uncached });
      case 'tools/call': {
        const answer = await this.#callTool(params, signal);
        return 'result' in answer ? complete(answer.result) : answer;
      }
      case 'subscriptions/listen': {
        this.#subscriptions.add(id);
        const acknowledged = 'notifications/subscriptions/acknowledged';
        const { notifications = {} } = params;
        this.#send({
          method: acknowledged,
          params: { notifications, _meta: { [metaKey.subscriptionId]: id } },
        });
        return null;
      }
      default:
        return methodNotFound(method);
    }
  }

  async #callTool({ name, arguments: args }: JSONObject, signal: AbortSignal): Promise<Answer> {
    const { tools, context } = this.#options;
    const known = tools();
    const tool = typeof name === 'string' && Object.hasOwn(known, name) ? known[name] : undefined;
    if (!tool) return refuse(code.invalidParams, `Unknown tool: ${String(name)}`);
    return { result: await runTool(tool, isObject(args) ? args : {}, { ...context, signal }) };
  }

  #capabilities(): JSONObject {
    return { capabilities: { tools: { listChanged: true } } };
  }

  #serverInfo(): JSONObject {
    return { name: this.#options.name, version: '1.0.0' };
  }

  #send(message: JSONObject): void {
    this.#options.write(JSON.stringify({ jsonrpc: '2.0', ...message }));
  }
}

const uncached = { ttlMs: 0, cacheScope: 'private' } as const;

function complete(result: JSONObject): Answer {
  return { result: { resultType: 'complete', ...result } };
}

function methodNotFound(method: string): Answer {
  return refuse(code.methodNotFound, `Method not found: ${method}`);
}

/** Every request of the stateless revision says which revision it is of and what its client can do. */
function refuseEnvelope({ _meta: meta }: JSONObject): Answer | null {
  const requested = isObject(meta) ? meta[metaKey.protocolVersion] : undefined;
  if (requested === undefined || requested !== modernVersion) {
    const data = { supported: [modernVersion], requested };
    return refuse(code.unsupportedVersion, 'Unsupported protocol version', data);
  }
  if (isObject(meta) && isObject(meta[metaKey.clientCapabilities])) return null;
  return refuse(code.invalidParams, `Missing _meta["${metaKey.clientCapabilities}"]`);
}
