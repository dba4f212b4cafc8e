import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import type { FixtureState } from './fixture-state.js';
import { redPixel } from './samples.js';

export const watchedResource = 'test://watched-resource';

export interface ResourceSubscriptions {
  includes(uri: string): boolean;
}

interface Resources {
  readonly state: FixtureState;
  readonly era: 'legacy' | 'modern';
}

export function registerResources(server: McpServer, { state, era }: Resources): ResourceSubscriptions {
  server.registerResource(
    'static-text',
    'test://static-text',
    {
      description: 'A text that never changes.',
      mimeType: 'text/plain',
      cacheHint: { ttlMs: 60_000, cacheScope: 'public' },
    },
    (uri) => ({
      contents: [
        { uri: uri.href, mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
      ],
    }),
  );
  server.registerResource(
    'static-binary',
    'test://static-binary',
    {
      description: 'A picture that never changes.',
      mimeType: redPixel.mimeType,
      cacheHint: { ttlMs: 60_000, cacheScope: 'public' },
    },
    (uri) => ({ contents: [{ uri: uri.href, mimeType: redPixel.mimeType, blob: redPixel.data }] }),
  );
  server.registerResource(
    'watched-resource',
    watchedResource,
    { description: 'A text that the tool `touch` changes.', mimeType: 'text/plain' },
    (uri) => ({
      contents: [{ uri: uri.href, mimeType: 'text/plain', text: `revision ${state.watchedRevision}` }],
    }),
  );
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'A document for any id.', mimeType: 'application/json' },
    (uri, { id }) => ({
      contents: [
        {
          uri: uri.href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
        },
      ],
    }),
  );
  return era === 'modern' ? { includes: () => true } : serveSubscriptions(server);
}

/** A modern client listens to what it asked for, and the SDK filters; a legacy one subscribes by these methods. */
function serveSubscriptions(server: McpServer): ResourceSubscriptions {
  const subscribed = new Set<string>();
  server.server.setRequestHandler('resources/subscribe', ({ params }) => {
    subscribed.add(params.uri);
    return {};
  });
  server.server.setRequestHandler('resources/unsubscribe', ({ params }) => {
    subscribed.delete(params.uri);
    return {};
  });
  return { includes: (uri) => subscribed.has(uri) };
}
