import { randomBytes } from 'node:crypto';
import { mcpError } from '../../domain/errors/mcpinfra-error.js';
import { invalidSpec, pointer, type Issue } from '../../domain/errors/issue.js';
import type { PinnedServer } from '../../domain/instance/instance-record.js';
import { isObject } from '../../domain/is-object.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { moveCredentials, type MoveCredential } from '../../domain/json-spec/move-credentials.js';
import { shownSecrets } from '../../domain/json-spec/shown-secrets.js';
import type { SecretPlace } from '../../domain/secrets/secret-keys.js';
import { formatSecretReference } from '../../domain/secrets/secret-reference.js';
import { secretScopeOf } from '../../domain/secrets/secret-scopes.js';
import type { SecretWrites } from '../secrets/secret-writes.js';
import { lifecycleMs, type LifecycleMs } from '../context/lifecycle-ms.js';
import { buildRunDocument } from '../context/run-document.js';
import { forbiddenReferences, type SecretOwner } from '../context/scope-access.js';
import type { ServiceContext } from '../context/service-context.js';

/** A document that may be stored: secrets in clear are replaced by references, which still have to be written. */
export interface AdmittedDocument {
  readonly jsonSpec: JsonSpec;
  readonly pinned: PinnedServer | null;
  readonly lifecycle: LifecycleMs;
}

/** A document that wants to be stored, and what it would replace. */
interface AdmissionRequest {
  readonly owner: SecretOwner;
  readonly jsonSpec: unknown;
  readonly pinned: PinnedServer | null;
  readonly issues: readonly Issue[];
  /** The document before; `null` where there is none. */
  readonly before: JsonSpec | null;
  /** Takes the values in clear. */
  readonly writes: SecretWrites;
  /** Variables that are secrets whatever they look like. */
  readonly secret?: readonly string[] | undefined;
}

/** Checks a document and takes the secrets in clear out of it. Returns every fault together with those given. */
export async function admitDocument(
  context: ServiceContext,
  request: AdmissionRequest,
): Promise<AdmittedDocument> {
  const { pinned, owner, before, writes, secret = [] } = request;
  const clear = secret.length > 0 ? (request.jsonSpec as JsonSpec).environment : undefined;
  const document = await buildRunDocument(context, pinned, clear ? hidden(request, clear) : request.jsonSpec);
  const { spec } = document;
  const shown = isObject(request.jsonSpec) ? shownSecrets(request.jsonSpec) : [];
  const told = new Set(document.issues.map(({ path }) => path));
  const found = [
    ...document.issues,
    ...shown.filter(({ path }) => !told.has(path)),
    ...(spec ? forbiddenReferences(context, owner, spec) : []),
  ];
  const issues = [...request.issues, ...found.map((i) => ({ ...i, path: `/jsonSpec${i.path}` }))];
  if (spec === null) throw invalidSpec('The instance', issues);

  const taken = new Map<string, SecretPlace>();
  const variables = [...new Set([...document.secretsInClear, ...secret])];
  // The type may come from the server's defaults; the row names it, so that lists can ask for it.
  const given: JsonSpec = { ...(request.jsonSpec as JsonSpec), type: spec.type };
  const moved = (move: MoveCredential): JsonSpec => {
    const own = moveCredentials(given, move);
    if (variables.length === 0) return own;
    const inClear = variables.map(
      (name) =>
        [name, move({ part: 'environment', name }, clear?.[name] ?? document.given[name] ?? '')] as const,
    );
    return { ...own, environment: { ...own.environment, ...Object.fromEntries(inClear) } };
  };
  moved((place, text) => {
    taken.set(pointer('jsonSpec', place.part, place.name), place);
    return text;
  });
  if (context.secretStore === null)
    issues.push(...[...taken].map(([path, { name }]) => unstorable(path, name)));
  // What is wrong anyway is told without asking a backend.
  if (issues.length > 0) throw invalidSpec('The instance', issues);
  await writes.begin({ owner, jsonSpec: before }, [...taken.values()]);
  const jsonSpec = moved((place, text) => writes.refer(place, text));
  const strangers = writes.strangersIn(jsonSpec);
  if (strangers.length > 0) throw invalidSpec('The instance', strangers.map(superseded));
  refuseUnsupported(context, spec);
  return { jsonSpec, lifecycle: lifecycleMs(spec), pinned };
}

/** The document without the variables that are secrets: what is wrong with it is told with what it says. */
function hidden(
  { owner, jsonSpec, secret = [] }: AdmissionRequest,
  clear: Readonly<Record<string, string>>,
): object {
  const references = secret.map((key): [string, string] => [
    key,
    formatSecretReference({ scope: secretScopeOf(owner.id), key }),
  ]);
  return { ...(jsonSpec as JsonSpec), environment: { ...clear, ...Object.fromEntries(references) } };
}

function unstorable(path: string, name: string): Issue {
  return {
    path,
    code: 'secret_in_clear',
    message:
      `${name} is a secret given in clear and there is no secret store to move it to. Give a reference ` +
      '(secret_ref:<scope>:<KEY>), configure a secret store, or list the name in plain_environment if it is none.',
  };
}

/** Only the row says how long a version is kept, so one that it does not name may be gone at any time. */
function superseded(key: string): Issue {
  const message = `The reference to ${key} is to a version of a secret that the instance no longer has: give the value.`;
  return { path: '/jsonSpec', code: 'conflict', message };
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
