import { messageOf } from '../../domain/errors/normalise-error.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import type { Progress } from '../../ports/provider.js';
import { draftEvent, instanceOrigin, instanceSubject } from '../context/event-drafts.js';
import type { ServiceContext } from '../context/service-context.js';

const everyMs = 1_000;

/** Tells how far a pull is: at most once a second, and when it ends. */
export class ProgressReport {
  readonly #context: ServiceContext;
  readonly #record: InstanceRecord;
  readonly #fence: number;
  readonly #began: () => void;
  #lastMs = -Infinity;

  /** @param options - `began` is told of each progress: something really has to be fetched */
  constructor(
    context: ServiceContext,
    record: InstanceRecord,
    options: { readonly fence: number; readonly began: () => void },
  ) {
    this.#context = context;
    this.#record = record;
    this.#fence = options.fence;
    this.#began = options.began;
  }

  report(progress: Progress): void {
    this.#began();
    const { image, completedBytes, totalBytes } = progress;
    const nowMs = this.#context.clock.monotonicMs();
    const ended = totalBytes !== null && completedBytes >= totalBytes;
    if (nowMs - this.#lastMs < everyMs && !ended) return;
    this.#lastMs = nowMs;
    const percent =
      totalBytes === null || totalBytes === 0 ? null : Math.floor((100 * completedBytes) / totalBytes);
    this.#context.logger.info('image pull progress', { instance: this.#record.name, image, percent });
    const event = draftEvent(this.#context, instanceOrigin(this.#record), {
      type: 'MCPServerInstancePullProgress',
      data: { ...instanceSubject(this.#record), image, completedBytes, totalBytes },
    });
    this.#context.store.appendEvents([event], { fence: this.#fence }).then(
      () => {
        this.#context.committed();
      },
      (error: unknown) => {
        this.#context.logger.debug('pull progress was not recorded', { error: messageOf(error) });
      },
    );
  }
}
