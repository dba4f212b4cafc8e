import * as z from 'zod';
import { specFields, type JsonSpec } from '@mcpinfra/core/plugin';
import { authentication, headers } from './credential-fields.js';

const { alias, healthCheck, httpUrl, labels, protocolEra, seconds, specObject } = specFields;

/** A server that runs elsewhere and is reached by its URL. */
export interface UrlSpec extends JsonSpec {
  readonly type: 'url';
  /** The URL of the MCP endpoint; its path and query may contain references, as `${secret_ref:<scope>:<KEY>}`. */
  readonly endpoint: string;
  /** @defaultValue http */
  readonly transport?: 'http' | 'sse' | undefined;
  /** How long a request may take, in seconds. @defaultValue 30 */
  readonly timeout?: number | undefined;
  /** Headers sent with each request; values may be or contain references. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How the server is shown who asks; values may be or contain references. */
  readonly authentication?: Authentication | undefined;
}

/** How a remote server is shown who asks. */
export type Authentication =
  | { readonly type: 'bearer'; readonly token: string }
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  | { readonly type: 'header'; readonly name: string; readonly value: string }
  | OAuth2ClientCredentials;

/** The OAuth 2.0 client credentials grant (RFC 6749, section 4.4). */
export interface OAuth2ClientCredentials {
  readonly type: 'oauth2_client_credentials';
  readonly token_url: string;
  readonly client_id: string;
  readonly client_secret: string;
  /** Scopes, separated by spaces. */
  readonly scope?: string | undefined;
  /** For authorization servers that ask for an audience. */
  readonly audience?: string | undefined;
  /** The resource indicator (RFC 8707). */
  readonly resource?: string | undefined;
}

/** Parses a document of type `url`. */
export const urlSpecSchema: z.ZodType<UrlSpec> = specObject(
  {
    type: z.literal('url'),
    endpoint: httpUrl,
    transport: z.enum(['http', 'sse']).optional(),
    timeout: seconds.optional(),
    headers: headers.optional(),
    authentication: authentication.optional(),
    health_check: healthCheck.optional(),
    alias: alias.optional(),
    protocol_era: protocolEra.optional(),
    labels: labels.optional(),
  },
  ({ authentication: credentials, headers: given }, report) => {
    if (
      typeof credentials !== 'object' ||
      credentials === null ||
      typeof given !== 'object' ||
      given === null
    )
      return;
    const { type, name } = credentials as { readonly type?: unknown; readonly name?: unknown };
    const sets = type === 'header' && typeof name === 'string' ? name.toLowerCase() : 'authorization';
    const twice = Object.keys(given).find((header) => header.toLowerCase() === sets);
    if (twice === undefined) return;
    report(
      'headers',
      'conflict',
      `The header ${twice} is set by authentication as well. Remove one of the two.`,
    );
  },
);
