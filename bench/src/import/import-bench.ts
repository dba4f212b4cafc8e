import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadedModules } from '@mcpinfra/tools';
import type { BenchOptions, BenchReport } from '../bench.js';
import { interleave } from '../interleave.js';
import { rounded, spreadOf, type Spread } from '../statistics.js';
import { ownCodeSize } from './own-code-size.js';

const goals = { extraMs: 60, ownKbMinGzip: 60 };
// What hosts load with the first call that needs it, not with the package.
const lazy = ['@modelcontextprotocol/client', '@sinclair/typebox', 'undici', 'zod'];

/** Measures what `import('@mcpinfra/core')` costs a fresh process, against an empty module. */
export async function importBench({ rounds, signal }: BenchOptions): Promise<BenchReport> {
  const coreUrl = import.meta.resolve('@mcpinfra/core');
  const emptyUrl = new URL('./empty.js', import.meta.url).href;
  const samples = await interleave(
    { core: () => timeImport(coreUrl, signal), empty: () => timeImport(emptyUrl, signal) },
    { rounds, signal },
  );
  const core = spreadOf(samples.core);
  const empty = spreadOf(samples.empty);
  const extraMs = core.median - empty.median;
  const ownKbMinGzip = await ownCodeSize(fileURLToPath(coreUrl));
  const modules = await loadedModules(coreUrl);
  const eager = lazy.filter((name) => modules.some((url) => url.includes(`/node_modules/${name}/`)));
  return {
    table: [['import of', 'ms', 'p10–p90'], row('@mcpinfra/core', core), row('an empty module', empty)],
    result: {
      ratio: rounded(extraMs / goals.extraMs, 3),
      goal: 1,
      ok: extraMs <= goals.extraMs && ownKbMinGzip <= goals.ownKbMinGzip && eager.length === 0,
      rounds,
      extraMs: rounded(extraMs, 1),
      extraMsGoal: goals.extraMs,
      ownKbMinGzip: rounded(ownKbMinGzip, 1),
      ownKbMinGzipGoal: goals.ownKbMinGzip,
      loaded: modules.length,
      eager,
    },
  };
}

async function timeImport(url: string, signal: AbortSignal): Promise<number> {
  const program = fileURLToPath(new URL('./timed-import.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program, url], { signal });
  return Number(stdout);
}

function row(name: string, { median, p10, p90 }: Spread): string[] {
  return [name, median.toFixed(1), `${p10.toFixed(1)}–${p90.toFixed(1)}`];
}
