// A process that takes events of a group until it is killed: `node consumer.js <url> <fleet>`. Prints `ready`, then the id of
// each event it takes.

import { redisEvents } from '@mcpinfra/events-redis';

const [url = '', fleet = ''] = process.argv.slice(2);
const bus = redisEvents({ url });
await bus.open({ fleet });
await bus.subscribe(
  { group: 'bench' },
  async ({ id }) => new Promise<void>((resolve) => process.stdout.write(`${id}\n`, () => resolve())),
);
process.stdout.write('ready\n');
