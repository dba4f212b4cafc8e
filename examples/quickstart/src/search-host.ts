// The host of docs/guide/testing-your-host.md; its tests are test/search-host.test.ts and search-host.node-test.js.

//#region host
import { MCPInfraError, type MCPInfra } from '@mcpinfra/core';
import type { ContainerSpec } from '@mcpinfra/core/plugin';

export type Search = (question: string) => Promise<string>;

/** Makes sure that the server is there, and returns what asks it. */
export async function createSearch(
  infra: MCPInfra<ContainerSpec>,
  alert: (text: string) => void,
): Promise<Search> {
  infra.events.on('MCPServerInstanceStatusChanged', ({ data }) => {
    if (data.name === 'search' && data.to === 'failed') alert(`${data.reason}: ${data.message}`);
  });
  const { id } = await infra.instances.ensure({
    name: 'search',
    jsonSpec: { type: 'docker', image: 'example/search:1' },
  });
  return async (question) => {
    try {
      // Who asks does not wait for a restart that is due later.
      const { content } = await infra.instances.callTool(id, 'search', { question }, { wakeTimeoutMs: 1 });
      return String(content[0]?.['text']);
    } catch (error) {
      if (!(MCPInfraError.isInstance(error) && error.retryable)) throw error;
      return 'Search is away, try again in a moment.';
    }
  };
}
//#endregion
