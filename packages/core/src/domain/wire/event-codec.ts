import { z } from 'zod';
import type { Event } from '../events/event.js';
import { count, timestamp } from './common-schemas.js';
import { eventDataSchemas } from './event-data-schemas.js';
import { wireCodec } from './wire-codec.js';

const members = Object.entries(eventDataSchemas).map(([type, data]) =>
  z.object({
    specversion: z.literal('1.0'),
    id: z.string().min(1),
    source: z.string(),
    type: z.literal(type),
    subject: z.string(),
    time: timestamp,
    datacontenttype: z.literal('application/json'),
    tenant: z.string(),
    actor: z.string(),
    correlationid: z.string(),
    position: count,
    resourceVersion: count,
    data,
  }),
);

type Members = [(typeof members)[number], ...typeof members];

/** Translates events: attributes in lower case (CloudEvents 1.0, "Naming Conventions"), their data in snake_case. */
export const eventCodec = wireCodec<Event>({
  what: 'event',
  // Made from a map, the members lose what ties each type to its data; the map itself is checked against EventMap.
  schema: z.discriminatedUnion('type', members as Members) as unknown as z.ZodType<Event>,
  outerName: (key) => key.toLowerCase(),
});
