import * as z from 'zod';
import { pointer, type Issue } from '../../domain/errors/issue.js';
import type { JsonSpec } from '../../domain/json-spec/json-spec.js';
import { labelsSchema } from '../servers/server-input.js';
import { isObject } from '../../domain/is-object.js';
import { FieldReader, unknownField } from '../context/field-reader.js';

/** What a host gives to create an instance. */
export interface MCPServerInstanceInput<TSpec = JsonSpec> {
  /**
   * The id it gets, for a caller that knows it under one already: any UUID-shaped text, kept in lower case. The same id
   * a second time is `ALREADY_EXISTS`.
   *
   * @defaultValue a new one
   */
  readonly id?: string | undefined;
  /** Unique in its tenant. Any text; the slug is made of it. */
  readonly name: string;
  readonly description?: string | undefined;
  /** The server it is made of; left out, the document stands alone. */
  readonly serverSpecId?: string | null | undefined;
  readonly jsonSpec: TSpec;
  /** @defaultValue `running` */
  readonly desiredState?: 'running' | 'stopped' | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** What a host gives to change an instance: a merge patch (RFC 7396), in which `null` removes a field of `jsonSpec`. */
export interface MCPServerInstancePatch<TPatch = Readonly<Record<string, unknown>>> {
  readonly description?: string | undefined;
  readonly jsonSpec?: TPatch | undefined;
  readonly labels?: Readonly<Record<string, string | null>> | undefined;
}

/** An input whose fields, but for the document, have been checked. */
export interface CheckedInstanceInput {
  /** `null` where the caller gave none. */
  readonly id: string | null;
  readonly name: string;
  readonly description: string;
  readonly serverSpecId: string | null;
  readonly jsonSpec: unknown;
  readonly desiredState: 'running' | 'stopped';
  readonly labels: Readonly<Record<string, string>>;
}

const uuidShape =
  'Expected a UUID, such as "9f3a2b1c-0d4e-4f5a-8b6c-7d8e9f0a1b2c", or no id at all to have one made';
const fields = {
  // As wide as the ids of other systems: the version and variant of RFC 9562 are not looked at.
  id: z
    .string({ error: uuidShape })
    .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/iu, { error: uuidShape })
    .toLowerCase(),
  name: z.string().trim().min(1).max(200),
  description: z.string().max(4_000),
  serverSpecId: z.string().min(1).max(100).nullable(),
  jsonSpec: z.unknown(),
  desiredState: z.enum(['running', 'stopped']),
  labels: labelsSchema,
};

/** Checks the fields around the document, every fault at once. */
export function checkInstanceInput(input: unknown): {
  readonly value: CheckedInstanceInput;
  readonly issues: readonly Issue[];
} {
  const reader = new FieldReader(input, fields);
  const { given, issues } = reader;
  for (const key of ['name', 'jsonSpec'] as const) {
    if (given[key] === undefined)
      issues.push({ path: pointer(key), code: 'required', message: `An instance needs a ${key}.` });
  }
  const value: CheckedInstanceInput = {
    id: reader.read('id', null),
    name: reader.read('name', ''),
    description: reader.read('description', ''),
    serverSpecId: reader.read('serverSpecId', null),
    jsonSpec: given['jsonSpec'],
    desiredState: reader.read('desiredState', 'running'),
    labels: reader.read('labels', {}),
  };
  return { value, issues };
}

const changeable = ['description', 'jsonSpec', 'labels'];

/** Says which fields of a patch cannot be changed. */
export function checkInstancePatch(patch: unknown): readonly Issue[] {
  if (!isObject(patch)) {
    return [{ path: '', code: 'wrong_type', message: 'Expected an object with the fields to change.' }];
  }
  return Object.keys(patch).flatMap((key): Issue[] => {
    if (changeable.includes(key)) return [];
    const fixed = Object.hasOwn(fields, key) || key === 'slug';
    if (!fixed) return [unknownField(key, changeable)];
    const message = `"${key}" cannot be changed. Changeable are: ${changeable.join(', ')}; use start() and stop() for the state.`;
    return [{ path: pointer(key), code: 'unsupported', message }];
  });
}
