import { withDeadline } from '../../async/deadline.js';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import { newId, tenantOf, type Scope } from '../context/access.js';
import { instanceCounters } from '../context/instance-counters.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';
import type { SecretWrites } from '../secrets/secret-writes.js';
import { admitServer } from '../servers/admit-server.js';
import { admitDocument, makeSlug } from './instance-admission.js';
import type { MCPServerInstanceInput } from './instance-input.js';
import { newInstanceRecord } from './new-instance-record.js';
import type { WishWriter } from './wish-writer.js';

/** A caller whose insert failed waits no longer than this to be told whether it was made all the same. */
const tellsWithinMs = 1_000;

/** Where an instance is created. */
export interface CreateParts {
  readonly context: ServiceContext;
  readonly scope: Scope;
  readonly wishes: WishWriter;
  readonly writes: SecretWrites;
}

/** The id of what is to be made, and by what its repetition is known. */
interface Identity {
  readonly id: string;
  readonly tenant: string;
  /** Whether the caller chose the id, so that somebody else's row may have it. */
  readonly given: boolean;
  readonly key: string | undefined;
}

/** Makes the row of an instance and wakes its worker. @throws as `instances.create()`; nothing is left behind then */
export async function createInstance(
  parts: CreateParts,
  input: MCPServerInstanceInput<unknown>,
  options: CommandOptions,
): Promise<InstanceRecord> {
  const { context, scope, writes } = parts;
  const { checkInstanceInput } = await import('./instance-input.js');
  const { value, issues } = checkInstanceInput(input);
  const { idempotencyKey: key, signal } = options;
  const tenant = tenantOf(scope);
  const id = value.id ?? newId(scope, 'instance', key);
  const identity = { id, tenant, given: value.id !== null, key };
  if (identity.given || key !== undefined) {
    const earlier = await context.store.instances.get(identity.id, { signal });
    if (earlier) return asRepeated(earlier, identity);
  }
  const pinned =
    value.serverSpecId === null
      ? null
      : await admitServer(context, scope, { id: value.serverSpecId, options });
  const owner = { id, tenant };
  const admitted = await admitDocument(context, {
    ...{ owner, jsonSpec: value.jsonSpec, pinned, issues, writes },
    before: null,
  });
  const slug = makeSlug(value.name);
  const request = { ...owner, slug, input: value, admitted, options };
  const record = newInstanceRecord(context, request);
  await writes.prepare(admitted.jsonSpec, options);
  try {
    return await insert(parts, record, options);
  } catch (error) {
    const made = await rowAfterFailure(context, id);
    if (made && isMadeBy(made, record, identity)) return made;
    throw error;
  }
}

async function insert(
  { context, wishes }: CreateParts,
  record: InstanceRecord,
  options: CommandOptions,
): Promise<InstanceRecord> {
  const effects = {
    events: [wishes.event('MCPServerInstanceCreated', record, options)],
    counters: instanceCounters(context, record.tenant, 1),
  };
  const created = await context.store.createInstance(record, effects, { signal: options.signal });
  context.committed();
  context.wake(record.id, 'hint');
  return created;
}

/** The row of an id after an insert failed; `undefined` where that cannot be told, such as by a store that hangs. */
function rowAfterFailure(context: ServiceContext, id: string): Promise<InstanceRecord | null | undefined> {
  const asked = withDeadline((signal) => context.store.instances.get(id, { signal }), {
    clock: context.clock,
    timeoutMs: tellsWithinMs,
    expired: () => mcpError('PLUGIN_TIMEOUT', 'The store did not tell whether the row was made.'),
  });
  return asked.catch(() => undefined);
}

/** Whether a row came of a call, though the call failed: it was committed all the same, or a repetition was faster. */
function isMadeBy(made: InstanceRecord, record: InstanceRecord, { tenant, given, key }: Identity): boolean {
  if (made.tenant !== tenant) return false;
  if (key !== undefined) return !given || made.runtime.appliedKeys.includes(key);
  return made.runtime.correlationId === record.runtime.correlationId;
}

/** What a create answers whose row is there already. @throws `ALREADY_EXISTS` unless the same call made it */
function asRepeated(earlier: InstanceRecord, { id, tenant, given, key }: Identity): InstanceRecord {
  const isRepetition = !given || (key !== undefined && earlier.runtime.appliedKeys.includes(key));
  // To another tenant it is an id that is taken, and nothing more.
  if (earlier.tenant === tenant && isRepetition) return earlier;
  throw mcpError('ALREADY_EXISTS', `An instance with the id ${id} exists already.`, {
    details: { field: 'id' },
  });
}
