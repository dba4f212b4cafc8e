import { randomBytes } from 'node:crypto';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import { invalidSpec, pointer, type Issue } from '../../domain/errors/issue.js';
import type { PinnedServer } from '../../domain/instance/instance-record.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { moveCredentials } from '../../domain/json-spec/move-credentials.js';
import { formatSecretReference, type SecretReference } from '../../domain/secrets/secret-reference.js';
import { secretScopeOf } from '../../domain/secrets/secret-scopes.js';
import { Secret } from '../../domain/secrets/secret.js';
import type { CallOptions } from '../../ports/common.js';
import { lifecycleMs, type LifecycleMs } from '../context/lifecycle-ms.js';
import { buildRunDocument } from '../context/run-document.js';
import { forbiddenReferences, type SecretOwner } from '../context/scope-access.js';
import type { ServiceContext } from '../context/service-context.js';

/** A document that may be stored: secrets in clear are replaced by references, which still have to be written. */
export interface AdmittedDocument {
  readonly jsonSpec: JsonSpec;
  readonly pinned: PinnedServer | null;
  readonly lifecycle: LifecycleMs;
  readonly secrets: readonly { readonly reference: SecretReference; readonly value: Secret }[];
}

/** Checks a document and takes the secrets in clear out of it. Returns every fault together with those given. */
export async function admitDocument(
  context: ServiceContext,
  request: {
    readonly owner: SecretOwner;
    readonly jsonSpec: unknown;
    readonly pinned: PinnedServer | null;
    readonly issues: readonly Issue[];
  },
): Promise<AdmittedDocument> {
  const { pinned, owner } = request;
  const document = await buildRunDocument(context, pinned, request.jsonSpec);
  const { spec } = document;
  const found = [...document.issues, ...(spec ? forbiddenReferences(context, owner, spec) : [])];
  const issues = [...request.issues, ...found.map((i) => ({ ...i, path: `/jsonSpec${i.path}` }))];
  if (spec === null) throw invalidSpec('The instance', issues);

  const scope = secretScopeOf(owner.id);
  const secrets: { readonly reference: SecretReference; readonly value: Secret }[] = [];
  const move = (key: string, text: string): string => {
    const reference = { scope, key };
    secrets.push({ reference, value: new Secret(text) });
    return formatSecretReference(reference);
  };
  // The type may come from the server's defaults; the row names it, so that lists can ask for it.
  const own: JsonSpec = { ...moveCredentials(request.jsonSpec as JsonSpec, move), type: spec.type };
  const inClear = document.secretsInClear.map(
    (name) => [name, move(name, document.given[name] ?? '')] as const,
  );
  const environment = { ...own.environment, ...Object.fromEntries(inClear) };
  if (context.secretStore === null)
    issues.push(...secrets.map(({ reference }) => unstorable(reference.key, document.secretsInClear)));
  if (issues.length > 0) throw invalidSpec('The instance', issues);
  refuseUnsupported(context, spec);
  const jsonSpec = inClear.length > 0 ? { ...own, environment } : own;
  return { jsonSpec, lifecycle: lifecycleMs(spec), pinned, secrets };
}

function unstorable(name: string, variables: readonly string[]): Issue {
  return {
    path: variables.includes(name) ? pointer('jsonSpec', 'environment', name) : pointer('jsonSpec'),
    code: 'secret_in_clear',
    message:
      `${name} is a secret given in clear and there is no secret store to move it to. Give a reference ` +
      '(secret_ref:<scope>:<KEY>), configure a secret store, or list the name in plain_environment if it is none.',
  };
}

/** Writes the secrets taken out of a document, before the row that refers to them. */
export async function storeSecrets(
  context: ServiceContext,
  secrets: AdmittedDocument['secrets'],
  options?: CallOptions,
): Promise<void> {
  for (const { reference, value } of secrets) await context.secretStore?.put(reference, value, options);
}

/** Makes the slug of an instance: `<name>-<8 hex>`, stable for its life. */
export function makeSlug(name: string): string {
  const readable = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, '-')
    .replaceAll(/^-+|-+$/gu, '')
    .slice(0, 40)
    .replace(/-+$/u, '');
  return `${readable === '' ? 'mcp' : readable}-${randomBytes(4).toString('hex')}`;
}

function refuseUnsupported(context: ServiceContext, spec: JsonSpec): void {
  if (spec.session?.policy === 'per-session') {
    throw mcpError(
      'CAPABILITY_UNSUPPORTED',
      `session.policy "per-session" needs a provider that starts a process for each session; the provider "${spec.type}" does not. Use "shared".`,
    );
  }
  if (!context.providers.has(spec.type)) {
    throw mcpError('INTERNAL', `No provider runs the type "${spec.type}" that its schema accepted.`);
  }
}
