// A server over stdio that says all it knows wherever it can; with `die` it ends after its first words.

import { createInterface } from 'node:readline';

const known = Object.entries(process.env)
  .map(([name, value]) => `${name}=${value}`)
  .join(' ');
const behaviour = process.argv[2];

process.stderr.write(`starting with ${known}\n`);
process.stdout.write(`listening with ${known}\n`);
if (behaviour === 'die') process.exitCode = 3;
else
  for await (const line of createInterface({ input: process.stdin }))
    if (line !== '') answer(JSON.parse(line));

function answer({ id, method, params }) {
  if (id === undefined) return;
  const say = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, ...message })}\n`);
  if (behaviour === 'refuse') {
    say({ error: { code: -32_603, message: `refused with ${known}`, data: { known } } });
  } else if (method === 'initialize') {
    const { protocolVersion } = params;
    const serverInfo = { name: 'leaky', version: known, title: known };
    say({ result: { protocolVersion, capabilities: { tools: {} }, serverInfo, instructions: known } });
  } else if (method === 'tools/list') {
    const tool = { name: 'tell', description: `Tells ${known}`, inputSchema: { type: 'object' } };
    say({ result: { tools: [tool] } });
  } else if (method === 'ping') {
    say({ result: {} });
  } else if (method === 'tools/call' && params.arguments?.crash === true) {
    process.stderr.write(`crashing with ${known}\n`);
    process.exit(4);
  } else {
    process.stdout.write(`not JSON: ${known}\n`);
    say({ error: { code: -32_603, message: `failed with ${known}`, data: { known } } });
  }
}
