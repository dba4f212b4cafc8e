import { z } from 'zod';
import { wireName } from './key-renaming.js';

/** Gives the schema of the JSON form: the same, under the names of the wire. */
export function toWireSchema(schema: z.ZodType, outerName: (key: string) => string = wireName): z.ZodType {
  return renamed(schema, outerName) as z.ZodType;
}

function renamed(schema: unknown, outerName: (key: string) => string): unknown {
  if (schema instanceof z.ZodOptional) return (renamed(schema.unwrap(), outerName) as z.ZodType).optional();
  if (schema instanceof z.ZodNullable) return (renamed(schema.unwrap(), outerName) as z.ZodType).nullable();
  if (schema instanceof z.ZodArray) return z.array(renamed(schema.element, outerName) as z.ZodType);
  if (schema instanceof z.ZodDiscriminatedUnion) {
    const members = schema.options.map((member) => renamed(member, outerName) as z.ZodObject);
    const [first, ...rest] = members;
    return first === undefined ? schema : z.discriminatedUnion(schema.def.discriminator, [first, ...rest]);
  }
  if (schema instanceof z.ZodObject && schema.def.catchall === undefined) {
    const shape = Object.entries(schema.shape).map(([key, field]) => [
      outerName(key),
      renamed(field, wireName),
    ]);
    return z.object(Object.fromEntries(shape) as Record<string, z.ZodType>);
  }
  return schema;
}
