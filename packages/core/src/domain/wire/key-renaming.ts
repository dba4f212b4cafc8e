import { z } from 'zod';

/** Names a field on the wire: snake_case. */
export function wireName(key: string): string {
  return key.replace(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`);
}

/** How keys are renamed. */
export interface KeyRenamingOptions {
  readonly to: 'wire' | 'typescript';
  /** Names the fields of the outermost object on the wire. */
  readonly outerName: (key: string) => string;
}

type Rename = (value: unknown) => unknown;

/**
 * Makes the function that renames the keys a schema declares, at every depth.
 *
 * Keys that no closed object of the schema declares are data and stay as they are: those of records, of loose objects
 * and of whatever is inside them.
 */
export function keyRenaming(schema: z.ZodType, options: KeyRenamingOptions): Rename {
  return renameOf(schema, options) ?? ((value) => value);
}

/** `undefined` for what has no keys to rename below it. */
function renameOf(schema: unknown, options: KeyRenamingOptions): Rename | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    const inner = renameOf(schema.unwrap(), options);
    return inner && ((value) => (value === undefined || value === null ? value : inner(value)));
  }
  if (schema instanceof z.ZodArray) {
    const inner = renameOf(schema.element, options);
    return inner && ((value) => (value as unknown[]).map(inner));
  }
  if (schema instanceof z.ZodDiscriminatedUnion) return choice(schema, options);
  if (schema instanceof z.ZodObject && schema.def.catchall === undefined) return fields(schema, options);
  return undefined;
}

function fields(schema: z.ZodObject, { to, outerName }: KeyRenamingOptions): Rename {
  const steps = Object.entries(schema.shape).map(([key, field]) => {
    const inner = renameOf(field, { to, outerName: wireName });
    const [from, into] = to === 'wire' ? [key, outerName(key)] : [outerName(key), key];
    return { from, into, inner };
  });
  return (value) => {
    const before = value as Readonly<Record<string, unknown>>;
    const after: Record<string, unknown> = {};
    for (const { from, into, inner } of steps) {
      const field = before[from];
      if (field !== undefined) after[into] = inner === undefined ? field : inner(field);
    }
    return after;
  };
}

/** The field that tells the members of a union apart has the same name in both forms. */
function choice(schema: z.ZodDiscriminatedUnion, options: KeyRenamingOptions): Rename {
  const { discriminator } = schema.def;
  const members = new Map<unknown, Rename>();
  for (const member of schema.options) {
    if (!(member instanceof z.ZodObject)) continue;
    const tag: unknown = member.shape[discriminator];
    if (tag instanceof z.ZodLiteral) members.set(tag.value, fields(member, options));
  }
  return (value) => {
    const rename = members.get((value as Readonly<Record<string, unknown>>)[discriminator]);
    return rename === undefined ? value : rename(value);
  };
}
