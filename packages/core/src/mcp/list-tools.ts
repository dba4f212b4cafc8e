import { isObject } from '../domain/is-object.js';
import type { ToolDescription } from '../domain/instance/instance-record.js';
import { limits } from './limits.js';
import type { ServerConnection } from './server-connection.js';

/** What schemas are made of is not nested deeper; what is would end whoever walks through it. */
const maxDepth = 64;

/** The tools that are kept of a list. */
export interface ToolList {
  readonly tools: readonly ToolDescription[];
  /** What was left out, as a sentence; absent where nothing was. */
  readonly note?: string | undefined;
}

/** Lists the tools of a greeted server over all pages, as far as the limits allow, and says what it leaves out. */
export async function listTools(connection: ServerConnection, signal: AbortSignal): Promise<ToolList> {
  const tools: ToolDescription[] = [];
  const cursors = new Set<string>();
  let bytes = 0;
  let cursor: string | undefined;
  for (let page = 1; ; page += 1) {
    const result = await connection.request('tools/list', cursor === undefined ? {} : { cursor }, signal);
    const listed: readonly unknown[] = Array.isArray(result['tools']) ? result['tools'] : [];
    for (const tool of listed) {
      if (!isTool(tool)) continue;
      if (!isShallow(tool, maxDepth)) return { tools, note: leftOut(tools, 'one is nested too deeply') };
      bytes += Buffer.byteLength(JSON.stringify(tool));
      if (tools.length === limits.tools || bytes > limits.toolBytes) {
        return {
          tools,
          note: leftOut(tools, `so many, of ${limits.toolBytes} bytes in all, are kept at most`),
        };
      }
      tools.push(tool);
    }
    const next = result['nextCursor'];
    if (typeof next !== 'string') return { tools };
    if (cursors.has(next)) return { tools, note: leftOut(tools, 'its pages begin anew and have no end') };
    if (page === limits.toolPages) return { tools, note: leftOut(tools, `it has more than ${page} pages`) };
    cursors.add(next);
    cursor = next;
  }
}

function leftOut({ length }: readonly ToolDescription[], why: string): string {
  return `Of the server's list of tools the first ${length} are kept and the rest is left out: ${why} (LIMIT_EXCEEDED).`;
}

function isTool(value: unknown): value is ToolDescription {
  return isObject(value) && typeof value['name'] === 'string' && isObject(value['inputSchema']);
}

function isShallow(value: object, depth: number): boolean {
  return (
    depth > 0 &&
    Object.values(value).every(
      (member: unknown) => typeof member !== 'object' || member === null || isShallow(member, depth - 1),
    )
  );
}
