import { eventBusSuite } from '@mcpinfra/conformance/event-bus';
import { startRedis } from '@mcpinfra/tools';
import { serviceOrSkip } from '@mcpinfra/tools/vitest';
import { describe, it } from 'vitest';
import { redisEvents } from '@mcpinfra/events-redis';

const redis = serviceOrSkip(startRedis);

describe('redisEvents is an event bus', () => {
  eventBusSuite({
    it,
    create: async () => {
      const another = () => redisEvents({ url: redis().url });
      return { bus: another(), another };
    },
  });
});
