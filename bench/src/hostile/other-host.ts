// A host of its own, which has hostile servers until it is told to end.
import { createMCPInfra } from '@mcpinfra/core';
import { processProvider } from '@mcpinfra/provider-process';
import { provokeHostile } from './hostile-servers.js';

const infra = createMCPInfra({ providers: [processProvider()], onStop: 'destroy' });
process.once('message', () => {
  void infra.stop().then(() => process.exit());
});
await infra.start();
await provokeHostile(infra);
process.send?.('ready');
