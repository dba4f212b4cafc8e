import { createHash, randomUUID } from 'node:crypto';
import { isObject } from '../../domain/is-object.js';
import { secretId, type SecretReference } from '../../domain/secrets/secret-reference.js';
import { reservedScope, secretScopeOf } from '../../domain/secrets/secret-scopes.js';
import { Secret } from '../../domain/secrets/secret.js';
import type { CallOptions } from '../../ports/common.js';
import type { SecretContext, SecretStore } from '../../ports/secret-resolver.js';
import type { ServiceContext } from '../context/service-context.js';

type MarkContext = Pick<ServiceContext, 'secretStore' | 'identity' | 'clock'>;

/** Core itself asks, on behalf of nobody. */
const nobody: SecretContext = { instanceId: '', tenant: '', principal: null };

/**
 * For this long after a mark its writer may still write the row. Less than half of it is left to the store, which gives
 * up a write after ten seconds.
 */
export const writerHasMs = 30_000;

/** What a command is about to write, or has made superfluous; kept beside the values until that is settled. */
export interface WriteMark {
  readonly reference: SecretReference;
  readonly instanceId: string;
  readonly tenant: string;
  readonly atMs: number;
  /** In the scope of the instance. */
  readonly keys: readonly string[];
}

/** Begins a mark, which is not written yet. */
export function newMark(
  context: MarkContext,
  owner: { readonly id: string; readonly tenant: string },
): WriteMark {
  const key = `${prefixOf(context)}${owner.id}.${randomUUID().slice(0, 8)}`;
  const reference = { scope: reservedScope, key };
  return { reference, instanceId: owner.id, tenant: owner.tenant, atMs: 0, keys: [] };
}

/** Writes a mark as of now. */
export async function putMark(
  { clock }: MarkContext,
  store: SecretStore,
  given: { readonly mark: WriteMark; readonly keys: readonly string[] } & CallOptions,
): Promise<WriteMark> {
  const mark = { ...given.mark, keys: given.keys, atMs: clock.now() };
  const text = JSON.stringify({ tenant: mark.tenant, at: mark.atMs, keys: mark.keys });
  await store.put(mark.reference, new Secret(text), { signal: given.signal });
  return mark;
}

/** Every mark of this fleet's store whose instance is asked for. */
export async function readMarks(
  context: MarkContext,
  isWanted: (instanceId: string) => boolean,
  options: CallOptions,
): Promise<readonly WriteMark[]> {
  const { secretStore: store } = context;
  const prefix = prefixOf(context);
  const listed = (await store?.list?.(reservedScope, options)) ?? [];
  const instanceOf = ({ key }: SecretReference): string =>
    key.startsWith(prefix) ? key.slice(prefix.length).replace(/\.[^.]*$/u, '') : '';
  const wanted = listed.filter((one) => instanceOf(one) !== '' && isWanted(instanceOf(one)));
  if (!store || wanted.length === 0) return [];
  const values = await store.resolve(wanted, nobody, options);
  return wanted.flatMap((reference): WriteMark[] => {
    // Another worker may have removed it meanwhile.
    const text = values.get(secretId(reference))?.reveal();
    return text === undefined ? [] : [{ reference, instanceId: instanceOf(reference), ...contentOf(text) }];
  });
}

function contentOf(text: string): Pick<WriteMark, 'tenant' | 'atMs' | 'keys'> {
  const { tenant, at, keys } = parsed(text);
  return {
    tenant: typeof tenant === 'string' ? tenant : '',
    atMs: typeof at === 'number' ? at : 0,
    keys: Array.isArray(keys) ? keys.filter((key) => typeof key === 'string') : [],
  };
}

/** What somebody else wrote there says nothing. */
function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** Removes values of an instance. */
export async function removeVersions(
  store: SecretStore,
  { instanceId, tenant }: Pick<WriteMark, 'instanceId' | 'tenant'>,
  keys: Iterable<string>,
): Promise<void> {
  const scope = secretScopeOf(instanceId);
  const context = { instanceId, tenant, principal: null };
  await Promise.all([...keys].map((key) => store.delete({ scope, key }, { context })));
}

function prefixOf({ identity }: MarkContext): string {
  const store = createHash('sha256').update(identity().storeId).digest('hex').slice(0, 16);
  return `WRITES.${store}.`;
}
