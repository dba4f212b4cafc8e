import express, { type Express } from 'express';
import { answerError, answerRefusal, noSuchRoute } from './answer-error.js';
import type { Infra } from './infra.js';
import { fleetRoutes } from './routes/fleet.js';
import { instanceRoutes } from './routes/instances.js';
import { serverRoutes } from './routes/servers.js';

//#region app
/** Makes the HTTP API of a fleet. Who may call it may run programs: put your authentication before the routes. */
export function createApp(infra: Infra): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(express.json({ limit: '1mb' }));
  app.use('/servers', serverRoutes(infra));
  app.use('/instances', instanceRoutes(infra));
  app.use(fleetRoutes(infra));
  app.use(noSuchRoute, answerError, answerRefusal);
  return app;
}
//#endregion
