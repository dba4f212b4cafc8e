import { invalidSpec, type Issue } from '../../domain/errors/issue.js';
import type { InstanceRecord, PinnedServer } from '../../domain/instance/instance-record.js';
import { placedReferences } from '../../domain/json-spec/collect-references.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { isVersionKey } from '../../domain/secrets/secret-keys.js';
import { refuseDeleted } from '../context/access.js';
import { secretsRotated } from '../context/event-drafts.js';
import type { InstanceChange } from '../context/instance-writer.js';
import { canonicalJson } from '../../domain/canonical-json.js';
import type { CommandOptions } from '../context/service-context.js';
import { afresh, tryNow } from '../context/try-now.js';
import type { CreateParts } from './create-instance.js';
import { versionKeptAt } from '../secrets/own-versions.js';
import { admitDocument } from './instance-admission.js';
import { ownedScopes } from './new-instance-record.js';

/** What an instance is to be like; what is left out stays as it is. */
export interface DocumentWish {
  readonly jsonSpec: unknown;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly description?: string | undefined;
  readonly pinned?: PinnedServer | null | undefined;
  /** Variables that are secrets whatever they look like. */
  readonly secret?: readonly string[] | undefined;
}

type DocumentFields = Required<
  Pick<NonNullable<InstanceChange['fields']>, 'jsonSpec' | 'labels' | 'description' | 'serverResourceVersion'>
>;

/** Says what to write so that an instance is as wished; `null` where it is so. @throws `INVALID_SPEC`, `INSTANCE_DELETED` */
export async function replaceDocument(
  { context, wishes, writes }: Pick<CreateParts, 'context' | 'wishes' | 'writes'>,
  wish: DocumentWish & { readonly record: InstanceRecord },
  options: CommandOptions,
): Promise<InstanceChange | null> {
  const { record, pinned = record.runtime.pinned } = wish;
  refuseDeleted(record);
  const { labels = record.labels, description = record.description, secret } = wish;
  const checked = await checkedDocument(record, { jsonSpec: wish.jsonSpec, labels, description });
  const { jsonSpec } = await admitDocument(context, {
    ...{ owner: record, before: record.jsonSpec, pinned, writes, secret },
    ...checked,
  });
  refuseOtherType(record, jsonSpec);
  const fields: DocumentFields = {
    jsonSpec,
    labels,
    description,
    serverResourceVersion: pinned?.resourceVersion ?? null,
  };
  await writes.prepare(jsonSpec, options);
  if (isSo(record, fields, pinned)) return null;
  return {
    facts: tryNow(record),
    fields: { ...fields, generation: record.generation + 1 },
    runtime: { pinned, ...afresh, ownedSecretScopes: ownedScopes(record.id, jsonSpec, record) },
    events: (next) => [
      wishes.event('MCPServerInstanceUpdated', next, options),
      ...(hasOtherVersions(record, jsonSpec) ? [secretsRotated(context, next, options.actor)] : []),
    ],
  };
}

async function checkedDocument(
  { name }: InstanceRecord,
  wish: Required<Pick<DocumentWish, 'jsonSpec' | 'labels' | 'description'>>,
): Promise<{ readonly jsonSpec: unknown; readonly issues: readonly Issue[] }> {
  const { checkInstanceInput } = await import('./instance-input.js');
  const { value, issues } = checkInstanceInput({ name, ...wish });
  return { jsonSpec: value.jsonSpec, issues };
}

function refuseOtherType({ jsonSpec: { type } }: InstanceRecord, wished: JsonSpec): void {
  if (wished.type === type) return;
  const message = `The type cannot be changed from "${type}"; delete the instance and create it anew.`;
  throw invalidSpec('The update', [{ path: '/jsonSpec/type', code: 'unsupported', message }]);
}

/** Whether a value that is kept for a place is replaced by another one. */
function hasOtherVersions({ id, jsonSpec: before }: InstanceRecord, after: JsonSpec): boolean {
  return placedReferences(after).some(({ path: [part = '', name = ''], reference: { key } }) => {
    const kept = versionKeptAt(id, before, { part, name });
    return kept !== undefined && kept.reference.key !== key && isVersionKey(key);
  });
}

function isSo(record: InstanceRecord, fields: DocumentFields, pinned: PinnedServer | null): boolean {
  const { jsonSpec, labels, description, serverResourceVersion, runtime } = record;
  const now = { jsonSpec, labels, description, serverResourceVersion, pinned: runtime.pinned };
  return canonicalJson({ ...fields, pinned }) === canonicalJson(now);
}
