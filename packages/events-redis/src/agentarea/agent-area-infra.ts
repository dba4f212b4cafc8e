import type { Event, EventType, JsonSpec, MCPServerInstance } from '@mcpinfra/core/plugin';

/** What the bridge asks for besides the arguments of a command. */
export interface BridgeCallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly actor?: string | undefined;
}

/**
 * What the bridge needs of an infra; what `createMCPInfra` makes has it, and so has `infra.scope({ tenant })`.
 */
export interface AgentAreaInfra {
  readonly instances: {
    create(
      input: {
        readonly id?: string | undefined;
        readonly name: string;
        readonly serverSpecId?: string | null | undefined;
        readonly jsonSpec: JsonSpec;
        readonly labels?: Readonly<Record<string, string>> | undefined;
      },
      options?: BridgeCallOptions,
    ): Promise<MCPServerInstance>;
    update(
      id: string,
      patch: { readonly jsonSpec: Readonly<Record<string, unknown>> },
      options?: BridgeCallOptions,
    ): Promise<MCPServerInstance>;
    start(id: string, options?: BridgeCallOptions): Promise<MCPServerInstance>;
    stop(id: string, options?: BridgeCallOptions): Promise<MCPServerInstance>;
    delete(id: string, options?: BridgeCallOptions): Promise<void>;
    get(id: string, options?: BridgeCallOptions): Promise<MCPServerInstance>;
    list(
      filter: {
        readonly name?: string | undefined;
        readonly labels?: Readonly<Record<string, string>> | undefined;
        readonly limit: number;
        readonly cursor?: string | undefined;
      },
      options?: BridgeCallOptions,
    ): PromiseLike<{ readonly items: readonly MCPServerInstance[]; readonly nextCursor: string | null }>;
  };
  /** What the bridge says of itself; an infra shows it in its health. */
  report?(part: string, ok: boolean, message?: string): void;
  readonly servers: {
    get(id: string, options?: BridgeCallOptions): Promise<unknown>;
  };
  readonly events: {
    subscribe<T extends EventType>(
      options: {
        readonly group: string;
        readonly types: readonly T[];
        readonly labels?: Readonly<Record<string, string>> | undefined;
      },
      handler: (event: Event<T>) => Promise<void>,
    ): Promise<{ close(): Promise<void>; readonly done: Promise<void> }>;
    readonly groups: {
      seek(group: string, to: 'beginning', options?: BridgeCallOptions): Promise<void>;
    };
  };
}
