//#region vitest
import { eventBusSuite } from '@mcpinfra/conformance/event-bus';
import { memoryEventBus } from '@mcpinfra/core';
import { describe, it } from 'vitest';

describe('memoryEventBus', () => {
  eventBusSuite({ it, create: () => ({ bus: memoryEventBus() }) });
});
//#endregion
