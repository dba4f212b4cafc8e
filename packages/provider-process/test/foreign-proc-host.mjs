// A host whose /proc shows the processes of another pid namespace: it ends a copy whose grandchild has, out there, the pid
// that an innocent process has in here, and says what became of both.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
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
/** The pid, as the /proc of outside counts, of the one process with this command line. */
function outerPidOf(...command) {
  const text = `${command.join('\0')}\0`;
  const isIt = (pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1') === text;
    } catch {
      return false;
    }
  };
  return readdirSync('/proc').find((name) => /^\d+$/u.test(name) && isIt(name));
}

let found;
while ((found = outerPidOf('sleep', String(seconds))) === undefined)
  await new Promise((resolve) => setTimeout(resolve, 20));
const outer = Number(found);
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
