import type { DiscoverResult } from '@modelcontextprotocol/client';
import { isObject } from '../domain/is-object.js';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import { cutText, shownText } from '../domain/shown-text.js';
import { type JSONObject } from './json-rpc.js';
import { limits } from './limits.js';
import { type Era, legacyVersions, metaKeys, modernVersion } from './protocol.js';

/** What a server told of itself when it was greeted. */
export interface ServerHello {
  readonly era: Era;
  readonly protocolVersion: string;
  readonly serverName: string;
  readonly serverVersion: string;
  readonly hasTools: boolean;
  /** Whether it says when its tools change. */
  readonly tellsToolChanges: boolean;
}

/**
 * Reads the result of `initialize`.
 *
 * @throws `PROTOCOL_ERROR` when it is none, or of a revision that is not understood
 */
export function readInitializeResult(result: JSONObject): ServerHello {
  const version = result['protocolVersion'];
  if (typeof version !== 'string' || !legacyVersions.includes(version)) {
    throw mcpError(
      'PROTOCOL_ERROR',
      `The server answered initialize with protocol version ${quote(version)}; expected one of ${legacyVersions.join(', ')}.`,
    );
  }
  return hello({ era: 'legacy', protocolVersion: version }, result, result['serverInfo']);
}

/** Tells whether a result is that of `server/discover`. */
export function isDiscoverResult(result: unknown): result is JSONObject & DiscoverResult {
  return isObject(result) && Array.isArray(result['supportedVersions']) && isObject(result['capabilities']);
}

/**
 * Reads the result of `server/discover`.
 *
 * @throws `PROTOCOL_ERROR` when the server speaks no revision that is understood
 */
export function readDiscoverResult(result: JSONObject & DiscoverResult): ServerHello {
  if (!result.supportedVersions.includes(modernVersion)) {
    throw mcpError(
      'PROTOCOL_ERROR',
      `The server supports protocol versions ${quote(result.supportedVersions)}; expected ${modernVersion} among them.`,
    );
  }
  const meta = result['_meta'];
  const serverInfo = isObject(meta) ? meta[metaKeys.serverInfo] : undefined;
  return hello({ era: 'modern', protocolVersion: modernVersion }, result, serverInfo);
}

function hello(
  revision: Pick<ServerHello, 'era' | 'protocolVersion'>,
  result: JSONObject,
  serverInfo: unknown,
): ServerHello {
  const { name, version } = isObject(serverInfo) ? serverInfo : {};
  const capabilities = isObject(result['capabilities']) ? result['capabilities'] : {};
  const tools = capabilities['tools'];
  return {
    ...revision,
    serverName: nameOf(name),
    serverVersion: nameOf(version),
    hasTools: tools !== undefined,
    tellsToolChanges: isObject(tools) && tools['listChanged'] === true,
  };
}

function nameOf(value: unknown): string {
  return typeof value === 'string' ? shownText(value, limits.nameLength) : '';
}

/** Tells whether two greetings are those of the same server in the same version. */
export function sameServer(one: ServerHello, other: ServerHello): boolean {
  return (Object.keys(one) as (keyof ServerHello)[]).every((key) => one[key] === other[key]);
}

/** Quotes what a server sent, cut to a length that fits a message. */
export function quote(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) as string | undefined);
  if (text === undefined) return 'nothing';
  return `'${cutText(shownText(text, 400).replaceAll(/\s+/g, ' ').trim(), 80)}'`;
}
