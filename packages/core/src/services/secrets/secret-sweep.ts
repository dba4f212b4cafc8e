import { messageOf } from '../../domain/errors/normalise-error.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import type { SecretStore } from '../../ports/secret-resolver.js';
import { isAborted } from '../../async/abort.js';
import { sleep } from '../../async/sleep.js';
import { lifecycleMs } from '../context/lifecycle-ms.js';
import type { Ownership } from '../context/ownership.js';
import type { ServiceContext } from '../context/service-context.js';
import { versionsIn, versionsOf } from './own-versions.js';
import { readMarks, removeVersions, writerHasMs, type WriteMark } from './write-marks.js';

/** Sweeps what this worker may look after, again and again, until the signal fires; apart from whatever may not wait for a backend. */
export async function keepSwept(
  context: ServiceContext,
  { ownership, everyMs }: { readonly ownership: Ownership; readonly everyMs: number },
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    await sleep(context.clock, everyMs, signal);
    if (isAborted(signal)) return;
    await sweepSecrets(context, (id) => ownership.concerns(id), signal);
  }
}

/**
 * Removes the versions of secrets that no row needs any more: of commands that ended before their row was written, and of
 * updates that cannot be rolled back now.
 *
 * A version is named by one command only. Once that has had its time, what the row says of it is final.
 *
 * @param concerns - whether this worker may look after an instance
 */
async function sweepSecrets(
  context: ServiceContext,
  concerns: (instanceId: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const { secretStore: store, clock, logger } = context;
  if (!store) return;
  try {
    const marks = await readMarks(context, concerns, { signal });
    for (const mark of marks) {
      if (signal.aborted || clock.now() - mark.atMs < writerHasMs) continue;
      const row = await context.store.instances.get(mark.instanceId, { signal });
      if (!row || !mayDrain(context, row)) await sweep(store, mark, row);
    }
  } catch (error) {
    logger.debug('the secrets that nobody needs could not be removed yet', { error: messageOf(error) });
  }
}

async function sweep(store: SecretStore, mark: WriteMark, row: InstanceRecord | null): Promise<void> {
  const needed = row ? versionsOf(row) : new Set<string>();
  await removeVersions(
    store,
    mark,
    mark.keys.filter((key) => !needed.has(key)),
  );
  const wished = versionsIn(mark.instanceId, row?.jsonSpec);
  const isSettled = mark.keys.every((key) => !needed.has(key) || wished.has(key));
  if (isSettled) await store.delete(mark.reference);
}

/** Whether a copy that was replaced may still serve those who are connected to it, by the values that it was given. */
function mayDrain({ clock }: Pick<ServiceContext, 'clock'>, { runtime }: InstanceRecord): boolean {
  const { active, steadySince } = runtime;
  if (!active || steadySince === null) return false;
  return clock.now() - Date.parse(steadySince) < lifecycleMs(active.spec).drainTimeoutMs;
}
