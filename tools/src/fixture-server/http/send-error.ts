import type { ServerResponse } from 'node:http';

/** Answers a request that reached no MCP server with a JSON-RPC error. */
export function sendError(
  res: ServerResponse,
  status: number,
  error: { code: number; message: string },
): void {
  res.writeHead(status, { 'content-type': 'application/json' });
  res.end(JSON.stringify({ jsonrpc: '2.0', id: null, error }));
}
