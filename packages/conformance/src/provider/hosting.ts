/**
 * The program of a process that hosts a provider until it is killed. Its parent tells it what to import and what to start,
 * and is told how that went.
 */
import { once } from 'node:events';
import process from 'node:process';
import { inspect } from 'node:util';
import { type Provider, renderReferences, Secret } from '@mcpinfra/core/plugin';
import type { HostedStart } from './provider-host.js';

// A host without its parent would be left over.
process.once('disconnect', () => process.exit(1));
const [message] = (await once(process, 'message')) as [HostedStart];
try {
  process.send?.({ seen: await host(message) });
} catch (error) {
  process.send?.({ error: inspect(error) });
}

async function host({ module, options, owner, document, copy, secret, variable }: HostedStart) {
  const loaded = (await import(module)) as { readonly provider: (given: unknown) => Provider };
  const provider = loaded.provider(options);
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  await provider.open({ ...owner, logger: silent });
  const spec = provider.specSchema.parse(document);
  const reference = `secret_ref:conformance:${variable}`;
  return provider.ensureRunning({
    copy,
    spec: { ...spec, environment: { ...spec.environment, [variable]: reference } },
    instanceName: `conformance ${copy.slug}`,
    labels: {},
    environment: async () => ({ [variable]: new Secret(secret) }),
    secrets: async () => ({
      render: (text) => new Secret(renderReferences(text, () => secret)),
      values: [new Secret(secret)],
    }),
    onProgress: () => undefined,
  });
}
