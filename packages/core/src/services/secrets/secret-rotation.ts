import { messageOf } from '../../domain/errors/normalise-error.js';
import { isAtRest, type Copy, type InstanceRecord } from '../../domain/instance/instance-record.js';
import { isServing } from '../../domain/instance/mcp-server-instance.js';
import { collectReferences } from '../../domain/json-spec/collect-references.js';
import { shardCount, shardOf } from '../../domain/shard.js';
import { secretsRotated } from '../context/event-drafts.js';
import { changeInstance, type WriteOrigin } from '../context/instance-writer.js';
import { isOfSameKey } from './secret-fingerprints.js';
import { isAborted } from '../../async/abort.js';
import { sleep } from '../../async/sleep.js';
import type { ServiceContext } from '../context/service-context.js';
import type { Ownership } from '../context/ownership.js';
import type { SecretSource } from './secret-source.js';

/** What rotation works with. */
interface RotationParts {
  readonly context: ServiceContext;
  readonly secrets: SecretSource;
}

/** The instances whose secrets are compared, and the right to do so. */
export interface RotationTargets {
  readonly ownership: Ownership;
  readonly health: { records(): Iterable<InstanceRecord> };
}

/** Notices that a backend holds other values than a running copy was given, and has the copy replaced. */
export class SecretRotation {
  readonly #parts: RotationParts;

  constructor(parts: RotationParts) {
    this.#parts = parts;
  }

  /**
   * Compares the values of one instance with those its copy was given. Tells whether they changed; the copy is then
   * replaced as by an update. A change that was noticed once is not noticed again, also if its new copy fails.
   *
   * @throws the error of a backend that cannot tell; nothing is changed then
   */
  async check(record: InstanceRecord, origin: WriteOrigin = {}): Promise<boolean> {
    const { context, secrets } = this.#parts;
    const active = settledCopy(record);
    if (!active || collectReferences(active.spec).length === 0) return false;
    const known = record.runtime.secretFingerprint ?? null;
    const found = await secrets.fingerprint(record, {
      spec: active.spec,
      against: known,
      signal: origin.signal,
    });
    if (found === known) return false;
    const noticed = { rotated: false };
    await changeInstance(context, record.id, {
      origin,
      decide: (current) => {
        noticed.rotated = false;
        const { generation, runtime } = current;
        const before = runtime.secretFingerprint ?? null;
        if (settledCopy(current)?.revision !== active.revision || before === found) return null;
        // What was not compared so far begins to be.
        if (before === null || !isOfSameKey(before, found)) return { runtime: { secretFingerprint: found } };
        noticed.rotated = true;
        return {
          fields: { generation: generation + 1 },
          runtime: { secretFingerprint: found, secretsVersion: runtime.secretsVersion + 1 },
          events: (next) => [secretsRotated(context, next, origin.actor)],
        };
      },
    });
    if (noticed.rotated) context.wake(record.id, 'wish-changed');
    return noticed.rotated;
  }

  /** Checks what this worker runs, each instance once in `secretRotationCheckMs`, until the signal fires. */
  async run({ health, ownership }: RotationTargets, signal: AbortSignal): Promise<void> {
    const { clock, logger, settings } = this.#parts.context;
    // In turns, so that a large fleet does not ask its backends all at once.
    for (let turn = 0; !isAborted(signal); turn = (turn + 1) % shardCount) {
      await sleep(clock, settings.secretRotationCheckMs / shardCount, signal);
      for (const record of health.records()) {
        const { id, jsonSpec, runtime, name } = record;
        if (isAborted(signal) || shardOf(id) !== turn) continue;
        const fence = ownership.fence({ id, type: jsonSpec.type, placement: runtime.placement });
        if (fence === null) continue;
        await this.check(record, { fence, signal }).catch((error: unknown) => {
          logger.debug('secrets could not be checked', { instance: name, error: messageOf(error) });
        });
      }
    }
  }
}

/** The copy that runs as last wanted; `null` while anything is under way, which reads the values anew by itself. */
function settledCopy(record: InstanceRecord): Copy | null {
  const { active, candidate, deleteRequestedAt } = record.runtime;
  const isSettled = isServing(record) && record.desiredState === 'running' && isAtRest(record);
  return isSettled && !candidate && deleteRequestedAt === null ? active : null;
}
