import type { Implementation } from '@modelcontextprotocol/client';
import type { JSONObject } from './json-rpc.js';

/** The two families of protocol revisions: with `initialize`, and stateless since 2026-07-28. */
export type Era = 'legacy' | 'modern';

/** The revision offered in `initialize`. */
export const latestLegacyVersion = '2025-11-25';

/** The revisions of the legacy era that are understood. */
export const legacyVersions: readonly string[] = [
  latestLegacyVersion,
  '2025-06-18',
  '2025-03-26',
  '2024-11-05',
  '2024-10-07',
];

/** The revision of the modern era that is spoken. */
export const modernVersion = '2026-07-28';

/** Keys of `_meta` (MCP 2026-07-28, basic). */
export const metaKeys = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  serverInfo: 'io.modelcontextprotocol/serverInfo',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
} as const;

/** Makes the parameters of `initialize`. No capabilities: nobody here could answer a request of the server. */
export function initializeParams(clientInfo: Implementation): JSONObject {
  return { protocolVersion: latestLegacyVersion, capabilities: {}, clientInfo };
}

/** Adds to parameters what every request of the modern era carries. */
export function withEnvelope(params: JSONObject, clientInfo: Implementation): JSONObject {
  return {
    ...params,
    _meta: {
      [metaKeys.protocolVersion]: modernVersion,
      [metaKeys.clientCapabilities]: {},
      [metaKeys.clientInfo]: clientInfo,
    },
  };
}
