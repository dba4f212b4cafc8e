import { Router } from 'express';
import type { Infra } from '../infra.js';
import { streamEvents } from '../stream-events.js';

/** What concerns the fleet as a whole. */
export function fleetRoutes(infra: Infra): Router {
  const routes = Router();

  routes.get('/health', async (_req, res) => {
    const health = await infra.health();
    res.status(health.status === 'stopped' ? 503 : 200).json(health);
  });

  routes.get('/doctor', async (_req, res) => {
    res.json({ items: await infra.doctor() });
  });

  routes.get('/events', (req, res) => streamEvents(infra, req, res));

  return routes;
}
