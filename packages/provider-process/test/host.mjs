// A host of its own process, for tests that kill it: opens a fleet, starts a server that leaves its process group, and
// prints the pids of all it started.
import { processProvider } from '@mcpinfra/provider-process';

const [fleet, ending, ...command] = process.argv.slice(2);
const silent = () => undefined;
const logger = { debug: silent, info: silent, warn: silent, error: silent };
const provider = processProvider();
await provider.open({ fleet, storeId: 'store-1', logger });
await provider.ensureRunning({
  copy: { instanceId: 'instance-of-host', revision: 1, slug: 'fs-1-0a1b2c3d' },
  spec: provider.specSchema.parse({ type: 'process', command }),
  instanceName: 'fs-1',
  labels: {},
  environment: async () => ({}),
  secrets: async () => ({ render: silent, values: [] }),
  onProgress: silent,
});
process.stdout.write('ready\n');
process.stdin.resume().once('data', () => {
  if (ending === 'exit') process.exit(0);
});
