import { DocumentParts } from './document-parts.js';
import type { RegistryServer } from './registry-server.js';
import type { Place } from './place.js';
import { readAddress, readValue } from './registry-input.js';
import { addressHoldsSecret } from './remote-bridge.js';
import { plainText } from './template.js';
import type { ServerDraft } from './server-draft.js';

/** Reads one remote of a registry entry; `undefined` where it cannot be reached from here, which is said. */
export function remoteDraft(place: Place, server: RegistryServer): ServerDraft | undefined {
  place.leaveOthers(['type', 'transport_type', 'transportType', 'url', 'headers', 'variables', '_meta']);
  const type = place.at('type', 'transport_type', 'transportType').text() ?? 'streamable-http';
  if (!['streamable-http', 'streamable', 'http', 'sse'].includes(type)) {
    place.leave('Expected a remote of the type streamable-http or sse.');
    return undefined;
  }
  place.needed('url');
  const parts = new DocumentParts('url');
  parts.endpoint = readAddress(place, new Map());
  if (type === 'sse') parts.fixed['transport'] = 'sse';
  if (addressHoldsSecret(parts.endpoint, place.at('url'))) return undefined;
  for (const entry of place.at('headers').items()) {
    const name = entry.needed('name', 200);
    if (name === '') continue;
    const { template } = readValue(entry, { name, kind: 'header' });
    parts.headers.set(name, template);
    entry.at('value').noteSecret(name, plainText(template));
  }
  return {
    path: place.path,
    definition: { ...server.definition, dockerImageUrl: null, envSchema: [] },
    instance: { name: server.instanceName, desiredState: 'running' },
    document: parts.draft(),
  };
}
