// `npm run bench -- <name> [--rounds N] [--provider docker|process]`: measures one thing against its floor. The last line
// is JSON.

import { parseArgs } from 'node:util';
import { ServiceUnavailable } from '@mcpinfra/tools';
import type { Bench } from './bench.js';
import { eventsBench } from './events/events-bench.js';
import { hostileBench } from './hostile/hostile-bench.js';
import { importBench } from './import/import-bench.js';
import { lifecycleBench } from './lifecycle/lifecycle-bench.js';
import { printTable } from './print-table.js';
import { storeBench } from './store/store-bench.js';

const benches: Readonly<Record<string, Bench>> = {
  events: eventsBench,
  hostile: hostileBench,
  import: importBench,
  lifecycle: lifecycleBench,
  store: storeBench,
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '12' },
    provider: { type: 'string', default: 'docker' },
  },
});
const [name = ''] = positionals;
const rounds = Number(values.rounds);
const { provider } = values;
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;

if (!bench) refuse(`a bench of ${Object.keys(benches).join(', ')}`, name);
else if (!Number.isInteger(rounds) || rounds < 1) refuse('--rounds to be 1 or more', values.rounds);
else if (provider !== 'docker' && provider !== 'process') refuse('--provider docker or process', provider);
else await run(bench, { rounds, provider });

async function run(
  measure: Bench,
  options: { readonly rounds: number; readonly provider: 'docker' | 'process' },
): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));
  try {
    const { table, result } = await measure({ ...options, signal: interrupted.signal });
    printTable(table);
    console.log(JSON.stringify({ bench: name, ...result }));
  } catch (error) {
    if (interrupted.signal.aborted) {
      console.error(String(interrupted.signal.reason));
      process.exitCode = 1;
    } else if (error instanceof ServiceUnavailable) {
      console.error(`SKIPPED: ${error.message}`);
      console.log(JSON.stringify({ bench: name, skipped: error.message }));
    } else throw error;
  }
}

function refuse(expected: string, got: string): void {
  console.error(`Expected ${expected}, got ${JSON.stringify(got)}.`);
  process.exitCode = 2;
}
