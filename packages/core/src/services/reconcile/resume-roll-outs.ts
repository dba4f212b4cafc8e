import { messageOf } from '../../domain/errors/normalise-error.js';
import { rowsOfPages } from '../../domain/list-page.js';
import type { InstanceRecord, PinnedServer } from '../../domain/instance/instance-record.js';
import { moveToDefinition, pinServer } from '../context/move-to-definition.js';
import type { ServiceContext } from '../context/service-context.js';

const pageSize = 500;

/** A definition that is rolled out, which reaches only its own tenant. */
interface WantedDefinition {
  readonly pinned: PinnedServer;
  readonly tenant: string;
}

/** By the id of the server. */
type WantedDefinitions = ReadonlyMap<string, WantedDefinition>;

/** The definitions whose last change is wanted for every instance of their tenant made of them, by the id of the server. */
export async function wantedDefinitions(
  context: ServiceContext,
  signal: AbortSignal,
): Promise<WantedDefinitions> {
  const wanted = new Map<string, WantedDefinition>();
  const { servers } = context.store;
  for await (const server of rowsOfPages((cursor) => servers.list({ limit: pageSize, cursor }, { signal })))
    if (server.rollout === 'rolling')
      wanted.set(server.id, { pinned: pinServer(server), tenant: server.tenant });
  return wanted;
}

/** Moves an instance that a roll-out has not come to, since whoever made it ended on the way. */
export async function resumeRollOut(
  context: ServiceContext,
  record: InstanceRecord,
  wanted: WantedDefinitions,
): Promise<void> {
  const definition = wanted.get(record.serverSpecId ?? '');
  if (definition?.tenant !== record.tenant) return;
  const { pinned } = definition;
  if ((record.serverResourceVersion ?? 0) >= pinned.resourceVersion) return;
  await moveToDefinition(context, record.id, { pinned }).catch((error: unknown) => {
    context.logger.warn('a roll-out could not be resumed', {
      instance: record.name,
      error: messageOf(error),
    });
  });
}
