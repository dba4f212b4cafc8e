import { eventBusSuite } from '@mcpinfra/conformance/event-bus';
import { describe, it } from 'vitest';
import { sharedBuses } from './support/shared-buses.js';

describe('buses that share a backend', () => {
  eventBusSuite({
    it,
    create: () => {
      const another = sharedBuses();
      return { bus: another(), another };
    },
  });
});
