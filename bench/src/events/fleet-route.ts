import { randomUUID } from 'node:crypto';
import { redisEvents } from '@mcpinfra/events-redis';
import type { OpenRoute } from './route.js';

/** Ours: the bus, and a subscriber of a group. */
export const openFleetRoute: OpenRoute = async (url, handler) => {
  const bus = redisEvents({ url });
  await bus.open({ fleet: `bench-${randomUUID()}` });
  if (handler) await bus.subscribe({ group: 'bench' }, handler);
  return bus;
};
