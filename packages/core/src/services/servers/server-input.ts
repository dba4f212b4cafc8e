import * as z from 'zod';
import type { EnvVariable } from '../../domain/env-schema/env-variable.js';
import { isReference } from '../../domain/env-schema/clear-secrets.js';
import { parseEnvSchema } from '../../domain/env-schema/parse-env-schema.js';
import { invalidSpec, pointer, type Issue } from '../../domain/errors/issue.js';
import { isObject } from '../../domain/is-object.js';
import { moveCredentials } from '../../domain/json-spec/move-credentials.js';
import { shownSecrets } from '../../domain/json-spec/shown-secrets.js';
import { looksLikeSecret } from '../../domain/secrets/looks-like-secret.js';
import type { MCPServer, MCPServerStatus } from '../../domain/server/mcp-server.js';
import { FieldReader } from '../context/field-reader.js';

/** What a host gives to register a server. */
export interface MCPServerInput {
  readonly name: string;
  readonly description?: string | undefined;
  readonly dockerImageUrl?: string | null | undefined;
  /** @defaultValue `1.0.0` */
  readonly version?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  /** @defaultValue `active` */
  readonly status?: MCPServerStatus | undefined;
  /** Seen by every tenant. @defaultValue false */
  readonly isPublic?: boolean | undefined;
  readonly envSchema?: readonly EnvVariable[] | undefined;
  /** Defaults merged under the `jsonSpec` of each instance. */
  readonly jsonSpec?: Readonly<Record<string, unknown>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** The part of a server that is the host's to say. */
export type MCPServerFields = Omit<
  MCPServer,
  'id' | 'tenant' | 'createdAt' | 'updatedAt' | 'resourceVersion'
>;

const text = (max: number) => z.string().max(max);
/** Labels as hosts and documents give them. */
export const labelsSchema = z.record(z.string().min(1).max(128), text(1_024));

const fields = {
  name: z.string().trim().min(1).max(200),
  description: text(4_000),
  dockerImageUrl: z.string().min(1).max(512).nullable(),
  version: z.string().trim().min(1).max(100),
  tags: z.array(z.string().min(1).max(100)).max(100),
  status: z.enum(['draft', 'active', 'deprecated', 'disabled']),
  isPublic: z.boolean(),
  jsonSpec: z.record(z.string(), z.unknown()),
  labels: labelsSchema,
};

/** Reads what a host gave for a server, every error at once. @throws `INVALID_SPEC` */
export function parseServerInput(input: unknown, base?: MCPServerFields): MCPServerFields {
  const reader = new FieldReader(input, fields, ['envSchema']);
  const { given, issues } = reader;
  if (Object.keys(given).length === 0 && !base) {
    issues.push({ path: '', code: 'wrong_type', message: 'Expected an object with at least a name.' });
  }
  if (given['name'] === undefined && !base) {
    issues.push({ path: '/name', code: 'required', message: 'A server needs a name.' });
  }
  let envSchema = base?.envSchema ?? [];
  if (given['envSchema'] !== undefined) {
    const parsed = parseEnvSchema(given['envSchema']);
    if (parsed.ok) envSchema = parsed.variables;
    else issues.push(...parsed.issues.map((issue) => ({ ...issue, path: `/envSchema${issue.path}` })));
  }
  issues.push(...secretsInClear(given, envSchema));
  const result: MCPServerFields = {
    name: reader.read('name', base?.name ?? ''),
    description: reader.read('description', base?.description ?? ''),
    dockerImageUrl: reader.read('dockerImageUrl', base?.dockerImageUrl ?? null),
    version: reader.read('version', base?.version ?? '1.0.0'),
    tags: reader.read('tags', base?.tags ?? []),
    status: reader.read('status', base?.status ?? 'active'),
    isPublic: reader.read('isPublic', base?.isPublic ?? false),
    jsonSpec: reader.read('jsonSpec', base?.jsonSpec ?? {}),
    labels: reader.read('labels', base?.labels ?? {}),
    envSchema,
  };
  if (issues.length > 0) throw invalidSpec('The server', issues);
  return result;
}

/** The secrets a definition holds in clear: it is shared by instances, so there is no place to move them to. */
function secretsInClear(
  given: Readonly<Record<string, unknown>>,
  variables: readonly EnvVariable[],
): Issue[] {
  const { jsonSpec, envSchema, dockerImageUrl: image } = given;
  const found = [
    ...(isObject(jsonSpec) ? secretsOfDocument(jsonSpec, variables) : []),
    ...(envSchema === undefined ? [] : variables).flatMap((variable, index) =>
      isInClear(variable) ? [pointer('envSchema', index)] : [],
    ),
    ...(typeof image === 'string' && looksLikeSecret('', image) ? ['/dockerImageUrl'] : []),
  ];
  return found.map((path) => ({
    path,
    code: 'secret_in_clear',
    message:
      'A server is shared, so it holds no secret in clear: give a reference (secret_ref:<scope>:<KEY>), or set it per instance. A variable that is none is declared with secret: false.',
  }));
}

/** Whether what a variable is filled with is a secret. A variable that is said to be none is none. */
function isInClear({ name, secret, value, default: fallback, variables }: EnvVariable): boolean {
  // Of what is made of inputs the name says nothing: they are given by instances.
  const shownName = variables ? '' : name;
  return secret !== false && [value, fallback].some((text) => looksLikeSecret(shownName, String(text ?? '')));
}

function secretsOfDocument(
  jsonSpec: Readonly<Record<string, unknown>>,
  variables: readonly EnvVariable[],
): string[] {
  const found: string[] = [];
  moveCredentials(jsonSpec, ({ part, name }, text) => {
    found.push(part === 'endpoint' ? pointer('jsonSpec', part) : pointer('jsonSpec', part, name));
    return text;
  });
  const { environment, plain_environment: plain } = jsonSpec;
  const declared = new Map(variables.map(({ name, secret }) => [name, secret]));
  for (const [name, text] of Object.entries(environment ?? {})) {
    if (typeof text !== 'string' || text === '' || isReference(text)) continue;
    if (Array.isArray(plain) && plain.includes(name)) continue;
    if (declared.get(name) ?? looksLikeSecret(name, text))
      found.push(pointer('jsonSpec', 'environment', name));
  }
  found.push(...shownSecrets(jsonSpec).map(({ path }) => `/jsonSpec${path}`));
  return [...new Set(found)];
}
