import * as z from 'zod';
import { specFields } from '@mcpinfra/core/plugin';

const { httpUrl, someText, withoutNulls } = specFields;

const headerText = z
  .string({ error: 'Expected text of one line' })
  .max(16_384)
  .regex(/^[^\0\r\n]*$/u);

// Set for each request by the transport: a fixed value would break it.
const ownHeaders = new Set([
  'accept',
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'last-event-id',
  'mcp-protocol-version',
  'mcp-session-id',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$/u, { error: 'Expected the name of an HTTP header' })
  .refine((name) => !ownHeaders.has(name.toLowerCase()), {
    error: 'This header is set for each request by the transport. Remove it.',
    params: { code: 'reserved' },
  });

/** Headers sent with each request. */
export const headers = z.record(headerName, headerText);

const credentials = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('bearer'), token: headerText.min(1) }),
    z.strictObject({ type: z.literal('basic'), username: headerText.min(1), password: headerText }),
    z.strictObject({ type: z.literal('header'), name: headerName, value: headerText.min(1) }),
    z.strictObject({
      type: z.literal('oauth2_client_credentials'),
      token_url: httpUrl,
      client_id: someText,
      client_secret: someText,
      scope: someText.optional(),
      audience: someText.optional(),
      resource: someText.optional(),
    }),
  ],
  {
    error: 'Expected an object with a type: one of "bearer", "basic", "header", "oauth2_client_credentials"',
  },
);

/** How a remote server is shown who asks. */
export const authentication = z.preprocess(
  (value) => withoutNulls(value, ['scope', 'audience', 'resource']),
  credentials,
);
