/* eslint-disable n/no-process-env, no-console -- it is a program that a test starts */
/* An MCP server that answers what the suite asks, and writes its address to its standard output. */
import { createServer } from 'node:http';

const server = createServer(async (request, response) => {
  if (request.method !== 'POST') return void response.writeHead(405).end();
  let body = '';
  for await (const chunk of request) body += chunk;
  const { id, method, params } = JSON.parse(body);
  if (id === undefined) return void response.writeHead(202).end();
  const result =
    method === 'initialize'
      ? {
          protocolVersion: params.protocolVersion,
          capabilities: {},
          serverInfo: { name: 'tiny', version: '1' },
        }
      : {};
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/mcp`));
if (process.env.ENDS_WITH_INPUT) process.stdin.on('end', () => process.exit(0)).resume();
