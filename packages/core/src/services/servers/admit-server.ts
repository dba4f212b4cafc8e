import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { PinnedServer } from '../../domain/instance/instance-record.js';
import { visibleServer, type Scope } from '../context/access.js';
import { pinServer } from '../context/move-to-definition.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';

/**
 * The definition an instance is to be made of.
 *
 * @throws `NOT_FOUND`, `SERVER_NOT_ACTIVE`
 */
export async function admitServer(
  context: ServiceContext,
  scope: Scope,
  request: { readonly id: string; readonly options: CommandOptions },
): Promise<PinnedServer> {
  const server = await visibleServer(context, scope, { ...request, change: false });
  if (server.status === 'deprecated') {
    context.logger.warn('an instance is made of a deprecated server', {
      server: server.name,
      version: server.version,
    });
  } else if (server.status !== 'active') {
    throw mcpError(
      'SERVER_NOT_ACTIVE',
      `The server "${server.name}" ${server.version} is ${server.status}; instances are made of active ones only.`,
    );
  }
  return pinServer(server);
}
