import { createHash } from 'node:crypto';
import { invalidSpec, type Issue } from '../../domain/errors/issue.js';
import type { InstanceRecord, InstanceRuntime, PinnedServer } from '../../domain/instance/instance-record.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { mergeSpec } from '../../domain/json-spec/merge-spec.js';
import { parseJsonSpec } from '../../domain/json-spec/parse-json-spec.js';
import { isObject } from '../../domain/is-object.js';
import type { ServiceContext } from './service-context.js';
import { canonicalJson } from '../../domain/canonical-json.js';

/** The document an instance runs, or everything that is wrong with it. */
export interface RunDocument {
  /** Defaults merged in, environment complete, references unresolved; `null` when it cannot be parsed. */
  readonly spec: JsonSpec | null;
  readonly issues: readonly Issue[];
  /** Variables whose value is a secret given in clear. */
  readonly secretsInClear: readonly string[];
  /** The environment as it was given, before defaults, fixed values and templates. */
  readonly given: Readonly<Record<string, string>>;
}

/** Puts the document together from the server's defaults and the instance's own. */
export async function buildRunDocument(
  context: Pick<ServiceContext, 'providers' | 'schemas' | 'settings'>,
  pinned: PinnedServer | null,
  jsonSpec: unknown,
): Promise<RunDocument> {
  const merged = withDefaults(context, pinned, jsonSpec);
  const parsed = parseJsonSpec(merged, context.schemas);
  const given = (parsed.ok ? parsed.spec.environment : textValues(merged)) ?? {};
  // TypeBox and its compiler load with the first document, not with the package.
  const { compileEnvironment } = await import('../../domain/env-schema/compile-environment.js');
  const allowUnknown =
    pinned === null || pinned.envSchema.length === 0 || context.settings.allowUnknownEnvironment;
  const check = compileEnvironment(pinned?.envSchema ?? [], { allowUnknown }).check(given, {
    plain: parsed.ok ? (parsed.spec.plain_environment ?? []) : [],
  });
  return {
    spec: parsed.ok ? { ...parsed.spec, environment: check.environment } : null,
    issues: [...(parsed.ok ? [] : parsed.issues), ...check.issues],
    secretsInClear: check.secretsInClear,
    given,
  };
}

/** The document of a stored instance. @throws `INVALID_SPEC` when it is no longer valid under this host's rules */
export async function runDocumentOf(context: ServiceContext, record: InstanceRecord): Promise<JsonSpec> {
  const { spec, issues } = await buildRunDocument(context, record.runtime.pinned, record.jsonSpec);
  if (!spec || issues.length > 0) throw invalidSpec(`The json_spec of instance "${record.name}"`, issues);
  return spec;
}

// What a running copy need not be replaced for: it is read anew by the controller.
const controllerFields = new Set([
  'health_check',
  'lifecycle',
  'session',
  'protocol_era',
  'alias',
  'plain_environment',
]);

/** A digest of everything that, changed, needs a new copy. */
export function runHash(spec: JsonSpec, runtime: Pick<InstanceRuntime, 'secretsVersion'>): string {
  const relevant = Object.entries(spec).filter(([key]) => !controllerFields.has(key));
  const text = canonicalJson([Object.fromEntries(relevant), runtime.secretsVersion]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function withDefaults(
  { providers }: Pick<ServiceContext, 'providers'>,
  pinned: PinnedServer | null,
  jsonSpec: unknown,
): unknown {
  if (!pinned || !isObject(jsonSpec)) return jsonSpec;
  const merged = mergeSpec(pinned.jsonSpec, jsonSpec);
  const runsImages = providers.get(String(merged['type']))?.runsImages === true;
  const needsImage = runsImages && merged['image'] === undefined && pinned.dockerImageUrl !== null;
  return needsImage ? { ...merged, image: pinned.dockerImageUrl } : merged;
}

/** The environment of a document that could not be parsed, so that its faults are reported together with the others. */
function textValues(document: unknown): Record<string, string> {
  const environment = isObject(document) ? document['environment'] : undefined;
  if (!isObject(environment)) return {};
  return Object.fromEntries(
    Object.entries(environment).filter((e): e is [string, string] => typeof e[1] === 'string'),
  );
}
