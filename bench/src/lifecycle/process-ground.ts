import type { MCPInfra } from '@mcpinfra/core';
import type { ProcessSpec } from '@mcpinfra/provider-process';
import { processProvider } from '@mcpinfra/provider-process';
import { fixtureServer } from '@mcpinfra/tools';
import type { Ground } from './ground.js';
import type { Life, Transport } from './life.js';
import { liveRawProcess } from './raw-process.js';

/** Child processes of this one. */
export class ProcessGround implements Ground {
  readonly name = 'processes';
  readonly provider = processProvider();

  document(transport: Transport): ProcessSpec {
    const command = this.#command(transport);
    return { type: 'process', command, ...(transport === 'http' ? { port: 'auto' } : { transport }) };
  }

  async pidOf(infra: MCPInfra, { id }: { readonly id: string }): Promise<number> {
    const { content } = await infra.instances.callTool(id, 'pid', {});
    return Number(content[0]?.['text']);
  }

  async liveRaw(transport: Transport, signal: AbortSignal): Promise<Life> {
    return liveRawProcess(this.#command(transport), { transport, signal });
  }

  async close(): Promise<void> {
    // Nothing outlives a life.
  }

  #command(transport: Transport): readonly [string, ...string[]] {
    return [process.execPath, fixtureServer, `--${transport}`];
  }
}
