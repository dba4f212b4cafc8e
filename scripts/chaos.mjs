// `npm run chaos -- --seconds N --seed S`: builds what is needed and runs it; the last line is its result as JSON.

import { ensureInstalled } from './lib/install.mjs';
import { must, run, turbo } from './lib/run.mjs';

ensureInstalled({ quiet: true });
must(...turbo(['build', '--filter=@mcpinfra/chaos...'], { quiet: true }));
process.exitCode = run(process.execPath, ['chaos/dist/main.js', ...process.argv.slice(2)]);
