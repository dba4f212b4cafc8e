// Started by `npm start`; PORT, DOCKER_SOCKET and ALLOWED_ADDRESSES may be set.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createApp } from './app.js';
import { createInfra } from './infra.js';

//#region main
const infra = createInfra(process.env);
await infra.start();

const server = createApp(infra).listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1');
await once(server, 'listening');
console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);

for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => void shutDown());

async function shutDown(): Promise<void> {
  server.close(); // no new connections
  await infra.stop(); // calls in flight end, then their servers
  server.closeAllConnections(); // streams of events and logs have no end of their own
}
//#endregion
