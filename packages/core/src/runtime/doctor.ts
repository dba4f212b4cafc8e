import { messageOf } from '../domain/errors/normalise-error.js';
import type { EventBus } from '../ports/event-bus.js';
import type { Prerequisite } from '../ports/provider.js';
import { hasFingerprintKey } from '../services/secrets/fingerprint-key.js';
import type { ServiceContext } from '../services/context/service-context.js';

/** The oldest Node.js the library runs on. */
const leastNode = [20, 19] as const;

/** Looks at everything a fleet needs; each line is ok or says what mends it. Never rejects. */
export async function diagnose(
  context: ServiceContext,
  surroundings: { readonly bus: EventBus; readonly started: boolean },
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
  found.push(await ask('store', async () => `${String(await context.store.instances.count({}))} instances.`));
  const busOk = surroundings.bus.healthy?.() ?? true;
  found.push({
    name: 'event-bus',
    ok: busOk,
    message: busOk ? 'Answers.' : 'Its backend does not answer; events reach other processes late.',
  });
  for (const [type, provider] of context.providers) {
    found.push(await ask(`provider:${type}`, async () => `Reaches ${await provider.placement()}.`));
    if (provider.doctor) found.push(...(await provider.doctor().catch(() => [])));
  }
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

async function ask(name: string, look: () => Promise<string>): Promise<Prerequisite> {
  try {
    return { name, ok: true, message: await look() };
  } catch (error) {
    return { name, ok: false, message: messageOf(error) };
  }
}
