import { z } from 'zod';
import type { ErrorCode } from '../errors/error-codes.js';
import type { EnvVariable } from '../env-schema/env-variable.js';
import type { JsonSpec } from '../json-spec/json-spec.js';

/** Any text of the shape of a UUID; version and variant are not looked at, catalogues hold others too. */
export const id = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/iu);

/** ISO 8601 in UTC. */
export const timestamp = z.iso.datetime();

/** An integer that only grows. */
export const count = z.int().nonnegative();

/** Names and values of the host's choice. */
export const labels = z.record(z.string(), z.string());

/** A document whose keys are its own. */
export const anyDocument = z.record(z.string(), z.unknown());

/** The part every document shares; its provider knows the rest. */
export const jsonSpec = z.looseObject({ type: z.string() }) as unknown as z.ZodType<JsonSpec>;

// A newer version of the library may know codes that this one does not; they must not make its events unreadable.
const codeShape = /^[A-Z][A-Z0-9_]*$/u;

/** A code of the error table. */
export const errorCode = z.string().regex(codeShape) as unknown as z.ZodType<ErrorCode>;

/** A code of the error table, or `''` where nothing is wrong. */
export const reason = z.string().regex(/^(?:[A-Z][A-Z0-9_]*)?$/u) as unknown as z.ZodType<ErrorCode | ''>;

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const templateVariable = z.object({
  type: z.enum(['string', 'integer', 'number', 'boolean']).optional(),
  description: z.string().optional(),
  required: z.boolean().optional(),
  secret: z.boolean().optional(),
  default: scalar.optional(),
  choices: z.array(scalar).optional(),
  placeholder: z.string().optional(),
  format: z.enum(['uri', 'email', 'hostname', 'filepath', 'date-time', 'uuid']).optional(),
});

/** The variables of a definition. */
export const envSchema: z.ZodType<readonly EnvVariable[]> = z.array(
  templateVariable.extend({
    name: z.string(),
    value: scalar.optional(),
    variables: z.record(z.string(), templateVariable).optional(),
  }),
);
