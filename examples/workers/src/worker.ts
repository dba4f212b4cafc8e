// A worker: it has no API and no state of its own. Start as many as there is work, end them when you like.

import { createFleet, type FleetConfig } from './create-fleet.js';

//#region worker
const config = JSON.parse(process.env['FLEET'] ?? 'null') as FleetConfig;
const infra = createFleet('worker', config);
await infra.start();
process.send?.('ready');

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    void infra.stop().finally(() => process.exit());
  });
}
//#endregion
