// A host whose /proc shows the processes of another pid namespace: it ends a copy whose grandchild has, out there, the pid
// that an innocent process has in here, and says what became of both.
import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { processProvider } from '@mcpinfra/provider-process';

const [seconds] = process.argv.slice(2);
const silent = () => undefined;
const logger = { debug: silent, info: silent, warn: silent, error: silent };
const provider = processProvider();
await provider.open({ fleet: 'in-a-namespace', storeId: 'store-1', logger });
const copy = { instanceId: 'instance-of-host', revision: 1, slug: 'fs-1-0a1b2c3d' };
await provider.ensureRunning({
  copy,
  spec: provider.specSchema.parse({
    type: 'process',
    command: ['sh', '-c', `setsid sleep ${seconds} & exec sleep 100`],
  }),
  instanceName: 'fs-1',
  labels: {},
  environment: async () => ({}),
  secrets: async () => ({ render: silent, values: [] }),
  onProgress: silent,
});
let found = '';
while (found === '') {
  try {
    found = execFileSync('pgrep', ['-fx', `sleep ${seconds}`], { encoding: 'utf8' }).trim();
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const outer = Number(found.split('\n')[0]);
writeFileSync('/proc/sys/kernel/ns_last_pid', String(outer - 1));
const innocent = spawn('sleep', ['100']);
const ended = new Promise((resolve) => innocent.once('exit', (code, signal) => resolve(signal)));
await provider.destroy(copy, { graceMs: 200 });
const [line] = await provider.doctor();
await provider.close();
innocent.kill('SIGINT');
process.stdout.write(JSON.stringify({ outer, inner: innocent.pid, ended: await ended, line }), () =>
  process.exit(0),
);
