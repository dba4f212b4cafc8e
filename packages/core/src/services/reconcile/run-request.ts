import type { Copy, InstanceRecord } from '../../domain/instance/instance-record.js';
import type { RunRequest } from '../../ports/provider.js';
import { copyRef } from '../ownership/link-registry.js';
import type { SecretSource } from '../secrets/secret-source.js';

/** What a provider is asked to run, its secrets resolved when it asks for them. */
export function runRequest(
  secrets: SecretSource,
  { record, copy }: { readonly record: InstanceRecord; readonly copy: Copy },
  onProgress: RunRequest['onProgress'],
): RunRequest {
  const { spec } = copy;
  return {
    copy: copyRef(record, copy),
    spec,
    instanceName: record.name,
    labels: record.labels,
    secrets: () => secrets.resolve(record, copy),
    environment: async () => {
      const bundle = await secrets.resolve(record, copy);
      const own = Object.entries(spec.environment ?? {}).map(
        ([name, text]) => [name, bundle.render(text)] as const,
      );
      return {
        ...Object.fromEntries(own),
        MCP_INSTANCE_ID: record.id,
        MCP_SERVICE_NAME: record.name,
        ...(typeof spec.port === 'number' ? { MCP_CONTAINER_PORT: String(spec.port) } : {}),
      };
    },
    onProgress,
  };
}
