import {
  createMCPInfra,
  memorySecrets,
  type MCPInfra,
  type MCPInfraOptions,
  type MCPServerInstance,
} from '@mcpinfra/core';
import type { UrlSpec } from '@mcpinfra/provider-url';
import { urlProvider, type UrlProviderOptions } from '@mcpinfra/provider-url';
import { expect, onTestFinished } from 'vitest';

/** A started infra with this provider, stopped when the test is over. */
export async function startInfra(
  options: Omit<MCPInfraOptions, 'providers' | 'secrets'> &
    UrlProviderOptions & { readonly secrets?: Readonly<Record<string, string>> } = {},
): Promise<MCPInfra<UrlSpec>> {
  const { allow = ['loopback'], secrets = {}, ...rest } = options;
  const infra = createMCPInfra({
    ...rest,
    providers: [urlProvider({ allow })],
    secrets: [memorySecrets(secrets)],
  });
  await infra.start();
  onTestFinished(async () => {
    await infra.stop();
  });
  return infra;
}

/** Creates an instance and waits until it serves. */
export async function ready(
  infra: MCPInfra<UrlSpec>,
  jsonSpec: UrlSpec,
  name = 'remote',
): Promise<MCPServerInstance<UrlSpec>> {
  const { id } = await infra.instances.create({ name, jsonSpec });
  return infra.instances.waitUntilReady(id, { signal: AbortSignal.timeout(20_000) });
}

/** Creates an instance and waits until it has failed. */
export async function failing(
  infra: MCPInfra<UrlSpec>,
  jsonSpec: UrlSpec,
): Promise<MCPServerInstance<UrlSpec>> {
  const { id } = await infra.instances.create({ name: 'remote', jsonSpec });
  return reach(infra, id, ({ status }) => status === 'failed');
}

/** Waits until an instance is as described. */
export async function reach(
  infra: MCPInfra<UrlSpec>,
  id: string,
  isSo: (instance: MCPServerInstance<UrlSpec>) => boolean,
): Promise<MCPServerInstance<UrlSpec>> {
  return until(async () => {
    const instance = await infra.instances.get(id);
    return isSo(instance) && instance;
  });
}

/** Asks again until it is so. */
export async function until<T>(question: () => Promise<T | false> | T | false): Promise<T> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const answer = await question();
    if (answer !== false) return answer;
    if (performance.now() > deadline) return expect.fail(`never became so: ${question.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
