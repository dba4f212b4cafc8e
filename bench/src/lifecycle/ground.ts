import type { JsonSpec, MCPInfra, Provider } from '@mcpinfra/core';
import type { Life, Transport } from './life.js';

/** Where servers run: by core through a provider, and without core by the bare means of the same place. */
export interface Ground {
  /** Names it, for people. */
  readonly name: string;
  readonly provider: Provider;
  /** The document of the server that is measured. */
  document(transport: Transport): JsonSpec;
  /** Finds the main process of an instance of core. */
  pidOf(infra: MCPInfra, instance: { readonly id: string; readonly transport: Transport }): Promise<number>;
  /** Lives a life of the same server without core. */
  liveRaw(transport: Transport, signal: AbortSignal): Promise<Life>;
  /** Removes whatever is left. */
  close(): Promise<void>;
}
