import * as z from 'zod';
import type { Rule } from './spec-object.js';

/** How a server that runs here is spoken to. */
export const transport = z.enum(['http', 'stdio', 'sse']);

/** A TCP port. */
export const port = z
  .int({ error: 'Expected a whole number from 1 to 65535, without quotes' })
  .min(1)
  .max(65_535);

/** The path of the MCP endpoint. */
export const endpointPath = z
  .string({ error: 'Expected a path that begins with a slash, such as "/mcp"' })
  .max(2_048)
  .regex(/^\/[^\s\\#]*$/u);

/** The `Host` header a server insists on. */
export const hostHeader = z
  .string({ error: 'Expected a host name, with a port where needed, such as "localhost:8080"' })
  .regex(/^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/u);

/** Which era of the protocol is spoken. */
export const protocolEra = z.enum(['legacy', 'auto', 'modern']);

/** The short name of a server where several are offered as one. */
export const alias = z
  .string({ error: 'Expected 1 to 16 of the characters a-z, 0-9 and "-"' })
  .regex(/^[a-z0-9-]{1,16}$/u);

/** How a server is reached has to fit together: an address for HTTP, none for stdio. */
export function reachRule(howToGivePort: string): Rule {
  return (members, report) => {
    const hasPort = members['port'] !== undefined;
    const chosen = members['transport'] ?? (hasPort ? 'http' : 'stdio');
    if (!transport.safeParse(chosen).success) return;
    if (chosen !== 'stdio' && !hasPort) {
      report('transport', 'conflict', `A server spoken to over HTTP needs a port. ${howToGivePort}`);
    }
    if (chosen !== 'stdio') {
      if (members['session'] !== undefined) {
        report(
          'session',
          'conflict',
          'session is for stdio servers only. Remove it, or remove port and set transport: stdio.',
        );
      }
      return;
    }
    if (hasPort) {
      report('transport', 'conflict', 'A stdio server has no port. Remove port, or set transport: http.');
      return;
    }
    for (const member of ['path', 'host_header']) {
      if (members[member] === undefined) continue;
      report(
        member,
        'conflict',
        `${member} is for servers spoken to over HTTP. Remove it, or add the port. ${howToGivePort}`,
      );
    }
    if (probesAddress(members['health_check'])) {
      const message = 'A stdio server has no address to probe. Set type: mcp without a path, or type: none.';
      report('health_check', 'conflict', message);
    }
  };
}

function probesAddress(check: unknown): boolean {
  if (typeof check === 'string') return true;
  if (typeof check !== 'object' || check === null) return false;
  const { type, path } = check as { readonly type?: unknown; readonly path?: unknown };
  return type === 'http' || type === 'tcp' || (type === undefined && path !== undefined);
}
