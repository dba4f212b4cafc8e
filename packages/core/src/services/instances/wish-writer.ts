import type { EventDraft } from '../../domain/events/event.js';
import type { EventMap } from '../../domain/events/event-map.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import { visibleInstance, type Scope } from '../context/access.js';
import { draftEvent, instanceOrigin, instanceWish } from '../context/event-drafts.js';
import { changeInstance, type InstanceChange } from '../context/instance-writer.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';

type WishEvent = Extract<
  keyof EventMap,
  `MCPServerInstance${'Created' | 'Updated' | 'Started' | 'Stopped' | 'Deleted'}`
>;

// So many commands are remembered by their keys.
const keptKeys = 16;

/** Writes what is wished of an instance: once for each idempotency key, and wakes its worker when something changed. */
export class WishWriter {
  readonly #context: ServiceContext;
  readonly #scope: Scope;

  constructor(context: ServiceContext, scope: Scope) {
    this.#context = context;
    this.#scope = scope;
  }

  /** @param decide - says what to write, or `null` where it is so already */
  async change(
    id: string,
    options: CommandOptions,
    decide: (record: InstanceRecord) => Promise<InstanceChange | null> | InstanceChange | null,
  ): Promise<InstanceRecord> {
    await visibleInstance(this.#context, this.#scope, { id, options });
    const key = options.idempotencyKey;
    const last = { changes: false };
    const written = await changeInstance(this.#context, id, {
      origin: { actor: options.actor, signal: options.signal },
      decide: async (record) => {
        const { appliedKeys } = record.runtime;
        const change = key !== undefined && appliedKeys.includes(key) ? null : await decide(record);
        last.changes = change !== null;
        if (change === null || key === undefined) return change;
        const keys = [...appliedKeys.slice(1 - keptKeys), key];
        return {
          ...change,
          runtime: { ...change.runtime, appliedKeys: keys, correlationId: key },
        };
      },
    });
    // What is told twice would be begun twice.
    if (last.changes) this.#context.wake(id, 'wish-changed');
    return written;
  }

  event(type: WishEvent, record: InstanceRecord, { actor }: CommandOptions): EventDraft {
    return draftEvent(this.#context, instanceOrigin(record, actor), { type, data: instanceWish(record) });
  }
}
