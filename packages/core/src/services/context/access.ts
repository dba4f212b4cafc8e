import { createHash, randomUUID } from 'node:crypto';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import type { MCPServer } from '../../domain/server/mcp-server.js';
import type { CommandOptions, ServiceContext } from './service-context.js';

/**
 * Whose objects a caller may see and change. `null` is the host itself: it sees every tenant and creates in `''`.
 */
export type Scope = string | null;

/** The tenant in which a caller creates. */
export function tenantOf(scope: Scope): string {
  return scope ?? '';
}

/** The server, where the caller may see it. @throws `NOT_FOUND` */
export async function visibleServer(
  context: ServiceContext,
  scope: Scope,
  request: { readonly id: string; readonly change: boolean; readonly options?: CommandOptions | undefined },
): Promise<MCPServer> {
  const server = await context.store.servers.get(request.id, { signal: request.options?.signal });
  const own = server !== null && (scope === null || server.tenant === scope);
  if (server && (own || (server.isPublic && !request.change))) return server;
  throw mcpError('NOT_FOUND', `There is no server with the id ${JSON.stringify(request.id)}.`);
}

/** The instance, where the caller may see it. @throws `NOT_FOUND` */
export async function visibleInstance(
  context: ServiceContext,
  scope: Scope,
  request: { readonly id: string; readonly options?: CommandOptions | undefined },
): Promise<InstanceRecord> {
  const record = await context.store.instances.get(request.id, { signal: request.options?.signal });
  if (record && (scope === null || record.tenant === scope)) return record;
  throw mcpError('NOT_FOUND', `There is no instance with the id ${JSON.stringify(request.id)}.`);
}

/**
 * An id for something new. With an idempotency key it is a function of the key, so that the repetition of a create
 * meets the row that the first one made.
 */
export function newId(scope: Scope, kind: string, key: string | undefined): string {
  if (key === undefined) return randomUUID();
  const hex = createHash('sha256')
    .update(`${kind}\n${tenantOf(scope)}\n${key}`)
    .digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

/** The options of one part of a command: a key that stands for the whole must not stand for two parts of it. */
export function partOf<T extends CommandOptions>(options: T, part: string): T {
  const { idempotencyKey: key } = options;
  return key === undefined ? options : { ...options, idempotencyKey: `${key}/${part}` };
}

/** @throws `INSTANCE_DELETED` */
export function refuseDeleted(record: InstanceRecord): void {
  if (record.runtime.deleteRequestedAt !== null) {
    throw mcpError('INSTANCE_DELETED', `The instance "${record.name}" is being deleted.`);
  }
}
