// A worker of a fleet of url servers until it is killed: `node fleet-member.js <postgres url> <schema> <redis url>`. Prints
// `ready`.

import { createMCPInfra } from '@mcpinfra/core';
import { redisEvents } from '@mcpinfra/events-redis';
import { urlProvider } from '@mcpinfra/provider-url';
import { postgresStore } from '@mcpinfra/store-postgres';

const [connectionString = '', schema = '', redisUrl = ''] = process.argv.slice(2);
const infra = createMCPInfra({
  roles: ['worker'],
  providers: [urlProvider({ allow: ['loopback'] })],
  store: postgresStore({ connectionString, schema }),
  events: redisEvents({ url: redisUrl }),
});
await infra.start();
process.stdout.write('ready\n');
