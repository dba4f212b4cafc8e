import { rowsOfPages } from '../../domain/list-page.js';
import { invalidSpec, type Issue } from '../../domain/errors/issue.js';
import type { InstanceRecord, PinnedServer } from '../../domain/instance/instance-record.js';
import type { MCPServer } from '../../domain/server/mcp-server.js';
import type { CallOptions } from '../../ports/common.js';
import { moveToDefinition } from '../context/move-to-definition.js';
import { buildRunDocument } from '../context/run-document.js';
import { forbiddenReferences } from '../context/scope-access.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';

/** Which server is rolled out, and for whom. What other tenants made of it stays theirs to move. */
interface RollOut extends CommandOptions {
  readonly server: Pick<MCPServer, 'id' | 'tenant'>;
}

/**
 * Every instance made of a server: those of its own tenant, which a roll-out reaches, or those of all.
 *
 * @param tenant - `undefined` for every tenant
 */
export async function instancesOfServer(
  context: ServiceContext,
  { id: serverSpecId, tenant }: { readonly id: string; readonly tenant: string | undefined },
  options?: CallOptions,
): Promise<readonly InstanceRecord[]> {
  const found: InstanceRecord[] = [];
  const { instances } = context.store;
  const records = rowsOfPages((cursor) =>
    instances.list({ serverSpecId, tenant, limit: 500, cursor }, options),
  );
  for await (const record of records) found.push(record);
  return found;
}

/**
 * Checks that every instance of a server in its tenant stays valid under a new definition.
 *
 * @throws `INVALID_SPEC` naming each instance that would not
 */
export async function checkRollOut(
  context: ServiceContext,
  pinned: PinnedServer,
  request: RollOut,
): Promise<void> {
  const issues: Issue[] = [];
  for (const record of await moving(context, request)) {
    const { spec, issues: wrong } = await buildRunDocument(context, pinned, record.jsonSpec);
    const found = [...wrong, ...(spec ? forbiddenReferences(context, record, spec) : [])];
    issues.push(...found.map((i) => ({ ...i, path: `/instances/${record.name}${i.path}` })));
  }
  if (issues.length > 0) throw invalidSpec(`The roll-out of "${pinned.name}"`, issues);
}

/**
 * Pins every instance of a server in its tenant to its new definition; the workers replace their copies. What it does not come to, the
 * resync of the workers does.
 */
export async function rollOut(
  context: ServiceContext,
  pinned: PinnedServer,
  request: RollOut,
): Promise<void> {
  const { actor, signal } = request;
  for (const { id } of await moving(context, request))
    await moveToDefinition(context, id, { pinned, actor, signal });
}

async function moving(context: ServiceContext, request: RollOut): Promise<readonly InstanceRecord[]> {
  const records = await instancesOfServer(context, request.server, { signal: request.signal });
  return records.filter((record) => record.status !== 'deleting');
}
