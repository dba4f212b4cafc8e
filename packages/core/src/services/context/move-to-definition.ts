import type { PinnedServer } from '../../domain/instance/instance-record.js';
import type { MCPServer } from '../../domain/server/mcp-server.js';
import { draftEvent, instanceOrigin, instanceWish } from './event-drafts.js';
import { changeInstance } from './instance-writer.js';
import type { CommandOptions, ServiceContext } from './service-context.js';
import { afresh, tryNow } from './try-now.js';

/** The parts of a definition that an instance keeps. */
export function pinServer(server: MCPServer): PinnedServer {
  const { name, version, resourceVersion, dockerImageUrl, jsonSpec, envSchema } = server;
  return { name, version, resourceVersion, dockerImageUrl, jsonSpec, envSchema };
}

/**
 * Pins an instance to a newer definition of its server, and wakes its worker; one that failed is tried again. Does nothing
 * to one that is pinned to that or a later one already.
 */
export async function moveToDefinition(
  context: ServiceContext,
  id: string,
  request: Pick<CommandOptions, 'actor' | 'signal'> & { readonly pinned: PinnedServer },
): Promise<void> {
  const { pinned, actor = 'system', signal } = request;
  const moved = { id: '' };
  await changeInstance(context, id, {
    origin: { actor, signal },
    decide: (record) => {
      moved.id = '';
      if (record.runtime.deleteRequestedAt !== null) return null;
      if ((record.serverResourceVersion ?? 0) >= pinned.resourceVersion) return null;
      moved.id = id;
      return {
        facts: tryNow(record),
        runtime: { pinned, ...afresh },
        fields: { generation: record.generation + 1, serverResourceVersion: pinned.resourceVersion },
        events: (next) => [
          draftEvent(context, instanceOrigin(next, actor), {
            type: 'MCPServerInstanceUpdated',
            data: instanceWish(next),
          }),
        ],
      };
    },
  });
  if (moved.id !== '') context.wake(id, 'wish-changed');
}
