import { inSeconds } from '../../domain/in-seconds.js';
import { hasCode } from '../../domain/errors/has-code.js';
import { invalidSpec } from '../../domain/errors/issue.js';
import { mcpError, type MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import type { InstanceRecord } from '../../domain/instance/instance-record.js';
import { withDeadline } from '../../async/deadline.js';
import { partOf, tenantOf, type Scope } from '../context/access.js';
import type { CommandOptions, ServiceContext } from '../context/service-context.js';
import { admitServer } from '../servers/admit-server.js';
import type { InstanceWaiter } from '../sessions/instance-waiter.js';
import type { InstanceCommands } from './instance-commands.js';
import type { CheckedInstanceInput, MCPServerInstanceInput } from './instance-input.js';

/** How long one of the same name that is being deleted is waited for. */
const goneTimeoutMs = 60_000;

// Each time somebody else was faster, and had done what is left to do here.
const mostAttempts = 10;

/** What an ensure is made of. */
interface EnsureParts {
  readonly context: ServiceContext;
  readonly scope: Scope;
  readonly commands: InstanceCommands;
  readonly waiter: InstanceWaiter;
}

/** Creates an instance, or makes the one of its name like the input, whatever others do to that name meanwhile. */
export async function ensureInstance(
  parts: EnsureParts,
  input: MCPServerInstanceInput<unknown>,
  options: CommandOptions,
): Promise<InstanceRecord> {
  const { checkInstanceInput } = await import('./instance-input.js');
  const { value, issues } = checkInstanceInput(input);
  if (issues.length > 0) throw invalidSpec('The instance', issues);
  for (let attempt = 1; ; attempt++) {
    const existing = await byName(parts, value.name, options);
    try {
      if (!existing) return await parts.commands.create(input, options);
      if (existing.runtime.deleteRequestedAt === null)
        return await converge(parts, { existing, value }, options);
    } catch (error) {
      if (attempt >= mostAttempts || !isOvertaken(error, existing)) throw error;
      continue;
    }
    await untilGone(parts, existing, options);
  }
}

/** Whether a look at the name was out of date when it was acted on. */
function isOvertaken(error: unknown, existing: InstanceRecord | undefined): boolean {
  if (existing) return hasCode(error, 'INSTANCE_DELETED') || isGone(error, existing);
  return hasCode(error, 'ALREADY_EXISTS') && error.details['field'] !== 'id';
}

function isGone(error: unknown, { id }: InstanceRecord): boolean {
  return hasCode(error, 'NOT_FOUND') && error.message.includes(id);
}

async function byName(
  { context, scope }: EnsureParts,
  name: string,
  { signal }: CommandOptions,
): Promise<InstanceRecord | undefined> {
  const query = { tenant: tenantOf(scope), name, limit: 1 };
  return (await context.store.instances.list(query, { signal })).items[0];
}

async function converge(
  { context, scope, commands }: EnsureParts,
  to: { readonly existing: InstanceRecord; readonly value: CheckedInstanceInput },
  options: CommandOptions,
): Promise<InstanceRecord> {
  const { existing, value } = to;
  const { id, serverSpecId, description, labels, jsonSpec, desiredState } = value;
  if (id !== null && id !== existing.id) {
    const message = `The instance "${existing.name}" has the id ${existing.id}, not ${id}; delete it first.`;
    throw mcpError('CONFLICT', message);
  }
  if (serverSpecId !== existing.serverSpecId) {
    const message = `The instance "${existing.name}" is made of another server (${String(existing.serverSpecId)}); delete it first.`;
    throw mcpError('CONFLICT', message);
  }
  const pinned =
    serverSpecId === null ? null : await admitServer(context, scope, { id: serverSpecId, options });
  const like = await commands.becomeLike(existing.id, { jsonSpec, labels, description, pinned }, options);
  const failedForGood = like.status === 'failed' && like.statusDetail.nextRetryAt === null;
  // What sleeps goes on sleeping, and what waits for its next try goes on waiting: both are as wanted.
  if (like.desiredState === desiredState && !failedForGood) return like;
  return commands.setDesiredState(existing.id, desiredState, partOf(options, 'state'));
}

async function untilGone(
  { context, waiter }: EnsureParts,
  existing: InstanceRecord,
  options: CommandOptions,
): Promise<void> {
  let last = existing;
  const following = async (signal: AbortSignal): Promise<void> => {
    for await (const record of waiter.follow(existing.id, { ...options, signal })) last = record ?? last;
  };
  await withDeadline(following, {
    clock: context.clock,
    timeoutMs: goneTimeoutMs,
    signals: [options.signal],
    expired: () => stillThere(last),
  }).catch((error: unknown) => {
    if (!isGone(error, existing)) throw error;
  });
}

function stillThere({ name, statusDetail }: InstanceRecord): MCPInfraError {
  const { reason, message } = statusDetail;
  const why = reason === '' ? '' : ` (${reason}: ${message})`;
  return mcpError(
    'INSTANCE_DELETED',
    `The instance "${name}" is still being deleted after ${inSeconds(goneTimeoutMs)}${why}; its name is taken until it is gone.`,
    { details: { statusDetail } },
  );
}
