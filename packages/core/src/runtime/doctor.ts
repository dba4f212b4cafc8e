import { withDeadline } from '../async/deadline.js';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import { messageOf } from '../domain/errors/normalise-error.js';
import type { Prerequisite, Provider } from '../ports/provider.js';
import { busPart } from '../services/events/bus-condition.js';
import type { FleetCondition } from '../services/events/fleet-condition.js';
import { hasFingerprintKey } from '../services/secrets/fingerprint-key.js';
import type { ServiceContext } from '../services/context/service-context.js';

/** The oldest Node.js the library runs on. */
const leastNode = [20, 19] as const;
/** So long each line has to find out what it says, in milliseconds. */
const lineHasMs = 10_000;

/** Looks at everything a fleet needs; each line is ok or says what mends it. Never rejects. */
export async function diagnose(
  context: ServiceContext,
  surroundings: { readonly condition: FleetCondition; readonly started: boolean },
): Promise<readonly Prerequisite[]> {
  const found: Prerequisite[] = [checkNode(process.versions.node)];
  found.push({
    name: 'fleet',
    ok: surroundings.started,
    message: surroundings.started
      ? `Started as ${context.identity().fleet}.`
      : 'Not started: call infra.start().',
  });
  if (!surroundings.started) return found;
  const bus = surroundings.condition.parts().find(({ part }) => part === busPart);
  const [store, ...providers] = await Promise.all([
    askStore(context, surroundings.condition),
    ...[...context.providers.values()].map((provider) => askProvider(context, provider)),
  ]);
  found.push(...store, { name: busPart, ok: bus === undefined, message: bus?.message ?? 'Answers.' });
  found.push(...providers.flat());
  for (const { name } of context.resolvers)
    found.push({ name: `secrets:${name}`, ok: true, message: 'Configured.' });
  if (context.resolvers.length > 0) {
    const ok = hasFingerprintKey(context);
    const message = ok
      ? 'Noticed.'
      : 'Not noticed: give a secret store that can be written to, or the option rotation.key.';
    found.push({ name: 'rotated secrets', ok, message });
  }
  return found;
}

function checkNode(version: string): Prerequisite {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const ok = major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1]);
  return {
    name: 'node',
    ok,
    message: ok
      ? `Node.js ${version}.`
      : `Node.js ${version} is too old: install ${leastNode.join('.')} or newer.`,
  };
}

async function askStore(
  context: ServiceContext,
  condition: FleetCondition,
): Promise<readonly Prerequisite[]> {
  const line = await ask(context, 'store', async (signal) => {
    const count = await context.store.instances.count({}, { signal });
    return `${String(count)} instances.`;
  });
  // It may read and not write.
  const known = condition.parts().find(({ part }) => part === 'store');
  return [line.ok && known ? { name: 'store', ok: false, message: known.message } : line];
}

async function askProvider(context: ServiceContext, provider: Provider): Promise<readonly Prerequisite[]> {
  const name = `provider:${provider.type}`;
  const [reached, lines] = await Promise.all([
    ask(context, name, async (signal) => `Reaches ${await provider.placement({ signal })}.`),
    inTime(context, async (signal) => (await provider.doctor?.({ signal })) ?? []).catch((error: unknown) => [
      { name: `${name} doctor`, ok: false, message: messageOf(error) },
    ]),
  ]);
  return [reached, ...lines];
}

async function ask(
  context: ServiceContext,
  name: string,
  look: (signal: AbortSignal) => Promise<string>,
): Promise<Prerequisite> {
  try {
    return { name, ok: true, message: await inTime(context, look) };
  } catch (error) {
    return { name, ok: false, message: messageOf(error) };
  }
}

function inTime<T>({ clock }: ServiceContext, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return withDeadline(work, {
    clock,
    timeoutMs: lineHasMs,
    expired: () => mcpError('PLUGIN_TIMEOUT', `It did not answer within ${lineHasMs} ms.`),
  });
}
