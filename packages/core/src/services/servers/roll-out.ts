import { rowsOfPages } from '../../domain/list-page.js';
import { invalidSpec, type Issue } from '../../domain/errors/issue.js';
import type { InstanceRecord, PinnedServer } from '../../domain/instance/instance-record.js';
import type { CallOptions } from '../../ports/common.js';
import { moveToDefinition } from '../context/move-to-definition.js';
import { buildRunDocument } from '../context/run-document.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';

/** Every instance made of a server, in any tenant. */
export async function instancesOfServer(
  context: ServiceContext,
  serverSpecId: string,
  options?: CallOptions,
): Promise<readonly InstanceRecord[]> {
  const found: InstanceRecord[] = [];
  const { instances } = context.store;
  const records = rowsOfPages((cursor) => instances.list({ serverSpecId, limit: 500, cursor }, options));
  for await (const record of records) found.push(record);
  return found;
}

/**
 * Checks that every instance of a server stays valid under a new definition.
 *
 * @throws `INVALID_SPEC` naming each instance that would not
 */
export async function checkRollOut(
  context: ServiceContext,
  pinned: PinnedServer,
  request: CommandOptions & { readonly serverId: string },
): Promise<void> {
  const issues: Issue[] = [];
  for (const record of await moving(context, request)) {
    const document = await buildRunDocument(context, pinned, record.jsonSpec);
    issues.push(...document.issues.map((i) => ({ ...i, path: `/instances/${record.name}${i.path}` })));
  }
  if (issues.length > 0) throw invalidSpec(`The roll-out of "${pinned.name}"`, issues);
}

/**
 * Pins every instance of a server to its new definition; the workers replace their copies. What it does not come to, the
 * resync of the workers does.
 */
export async function rollOut(
  context: ServiceContext,
  pinned: PinnedServer,
  request: CommandOptions & { readonly serverId: string },
): Promise<void> {
  const { actor, signal } = request;
  for (const { id } of await moving(context, request))
    await moveToDefinition(context, id, { pinned, actor, signal });
}

async function moving(
  context: ServiceContext,
  request: CommandOptions & { readonly serverId: string },
): Promise<readonly InstanceRecord[]> {
  const records = await instancesOfServer(context, request.serverId, { signal: request.signal });
  return records.filter((record) => record.status !== 'deleting');
}
