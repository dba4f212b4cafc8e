import { invalidSpec } from '../../domain/errors/issue.js';
import type { InstanceRecord, InstanceRuntime, PinnedServer } from '../../domain/instance/instance-record.js';
import { refuseDeleted } from '../context/access.js';
import type { InstanceChange } from '../context/instance-writer.js';
import { canonicalJson } from '../context/run-document.js';
import type { CommandOptions } from '../context/service-context.js';
import { afresh, tryNow } from '../context/try-now.js';
import type { CreateParts } from './create-instance.js';
import { admitDocument, storeSecrets, type AdmittedDocument } from './instance-admission.js';

/** What an instance is to be like; what is left out stays as it is. */
export interface DocumentWish {
  readonly jsonSpec: unknown;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly description?: string | undefined;
  readonly pinned?: PinnedServer | null | undefined;
}

type DocumentFields = Required<
  Pick<NonNullable<InstanceChange['fields']>, 'jsonSpec' | 'labels' | 'description' | 'serverResourceVersion'>
>;

/** Says what to write so that an instance is as wished; `null` where it is so. @throws `INVALID_SPEC`, `INSTANCE_DELETED` */
export async function replaceDocument(
  { context, wishes }: Pick<CreateParts, 'context' | 'wishes'>,
  wish: DocumentWish & { readonly record: InstanceRecord },
  options: CommandOptions,
): Promise<InstanceChange | null> {
  const { record, pinned = record.runtime.pinned } = wish;
  refuseDeleted(record);
  const { labels = record.labels, description = record.description } = wish;
  const admitted = await admit(context, record, { ...wish, labels, description, pinned, options });
  const fields: DocumentFields = {
    jsonSpec: admitted.jsonSpec,
    labels,
    description,
    serverResourceVersion: pinned?.resourceVersion ?? null,
  };
  if (admitted.secrets.length === 0 && isSo(record, fields, pinned)) return null;
  await storeSecrets(context, admitted.secrets, options);
  return {
    facts: tryNow(record),
    fields: { ...fields, generation: record.generation + 1 },
    runtime: {
      pinned,
      ...afresh,
      ...(admitted.secrets.length > 0 ? newValues(record) : {}),
      ownedSecretScopes: withScopes(
        record,
        admitted.secrets.map(({ reference }) => reference.scope),
      ),
    },
    events: (next) => [wishes.event('MCPServerInstanceUpdated', next, options)],
  };
}

/** What is written with new values; that they are new is known, so it need not be noticed once more. */
export function newValues({
  runtime,
}: InstanceRecord): Pick<InstanceRuntime, 'secretsVersion' | 'secretFingerprint'> {
  return { secretsVersion: runtime.secretsVersion + 1, secretFingerprint: null };
}

/** The scopes of secrets that an instance owns, with more of them. */
export function withScopes({ runtime }: InstanceRecord, scopes: readonly string[]): readonly string[] {
  return [...new Set([...runtime.ownedSecretScopes, ...scopes])];
}

async function admit(
  context: CreateParts['context'],
  record: InstanceRecord,
  wish: Required<Omit<DocumentWish, 'pinned'>> & {
    readonly pinned: PinnedServer | null;
    readonly options: CommandOptions;
  },
): Promise<AdmittedDocument> {
  const { labels, description, pinned, options } = wish;
  const { checkInstanceInput } = await import('./instance-input.js');
  const input = { name: record.name, jsonSpec: wish.jsonSpec, labels, description };
  const { value, issues } = checkInstanceInput(input);
  const { withKeptSecrets } = await import('./kept-secrets.js');
  const jsonSpec = await withKeptSecrets(context, { instance: record, jsonSpec: value.jsonSpec }, options);
  const request = { owner: record, jsonSpec, pinned, issues };
  const admitted = await admitDocument(context, request);
  if (admitted.jsonSpec.type === record.jsonSpec.type) return admitted;
  const message = `The type cannot be changed from "${record.jsonSpec.type}"; delete the instance and create it anew.`;
  throw invalidSpec('The update', [{ path: '/jsonSpec/type', code: 'unsupported', message }]);
}

function isSo(record: InstanceRecord, fields: DocumentFields, pinned: PinnedServer | null): boolean {
  const { jsonSpec, labels, description, serverResourceVersion, runtime } = record;
  const now = { jsonSpec, labels, description, serverResourceVersion, pinned: runtime.pinned };
  return canonicalJson({ ...fields, pinned }) === canonicalJson(now);
}
