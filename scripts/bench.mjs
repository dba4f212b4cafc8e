// `npm run bench -- <name>`: builds what is needed and runs one bench; the last line is its result as JSON.

import { ensureInstalled } from './lib/install.mjs';
import { must, run, turbo } from './lib/run.mjs';

ensureInstalled({ quiet: true });
must(...turbo(['build', '--filter=@mcpinfra/bench...'], { quiet: true }));
process.exitCode = run(process.execPath, ['bench/dist/main.js', ...process.argv.slice(2)]);
