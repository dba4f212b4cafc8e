import { isObject } from '../domain/is-object.js';
import type { ToolDescription } from '../domain/instance/instance-record.js';
import type { ServerConnection } from './server-connection.js';

/** A server that pages without end is read no further. */
const maxPages = 64;

/** Lists the tools of a greeted server over all pages. */
export async function listTools(
  connection: ServerConnection,
  signal: AbortSignal,
): Promise<readonly ToolDescription[]> {
  const tools: ToolDescription[] = [];
  let cursor: unknown;
  for (let page = 0; page < maxPages; page += 1) {
    const result = await connection.request('tools/list', cursor === undefined ? {} : { cursor }, signal);
    if (Array.isArray(result['tools'])) tools.push(...(result['tools'] as readonly unknown[]).filter(isTool));
    const next = result['nextCursor'];
    if (typeof next !== 'string' || next === cursor) break;
    cursor = next;
  }
  return tools;
}

function isTool(value: unknown): value is ToolDescription {
  return isObject(value) && typeof value['name'] === 'string' && isObject(value['inputSchema']);
}
