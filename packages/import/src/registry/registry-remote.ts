import { DocumentParts } from '../drafts/document-parts.js';
import type { RegistryServer } from './registry-server.js';
import type { DocumentNode } from '../documents/document-node.js';
import { readAddress, readValue } from './registry-input.js';
import { addressHoldsSecret } from '../drafts/secret-address.js';
import { plainText } from '../drafts/template.js';
import type { ServerDraft } from '../drafts/server-draft.js';

/** Reads one remote of a registry entry; `undefined` where it cannot be reached from here, which is said. */
export function remoteDraft(node: DocumentNode, server: RegistryServer): ServerDraft | undefined {
  node.leaveOthers(['type', 'transport_type', 'transportType', 'url', 'headers', 'variables', '_meta']);
  const type = node.at('type', 'transport_type', 'transportType').text() ?? 'streamable-http';
  if (!['streamable-http', 'streamable', 'http', 'sse'].includes(type)) {
    node.leave('Expected a remote of the type streamable-http or sse.');
    return undefined;
  }
  node.needed('url');
  const parts = new DocumentParts('url');
  parts.endpoint = readAddress(node, new Map());
  if (type === 'sse') parts.fixed['transport'] = 'sse';
  if (addressHoldsSecret(parts.endpoint, node.at('url'))) return undefined;
  for (const entry of node.at('headers').items()) {
    const name = entry.needed('name', 200);
    if (name === '') continue;
    const { template } = readValue(entry, { name, kind: 'header' });
    parts.headers.set(name, template);
    entry.at('value').noteSecret(name, plainText(template));
  }
  return {
    path: node.path,
    definition: { ...server.definition, dockerImageUrl: null, envSchema: [] },
    instance: { name: server.instanceName, desiredState: 'running' },
    document: parts.draft(),
  };
}
