// `npm run quickstart`: from a fresh clone to the running example in one command.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled } from './lib/install.mjs';
import { must, run, turbo } from './lib/run.mjs';
import { root } from './lib/workspaces.mjs';

const program = 'examples/quickstart/dist/quickstart.js';

ensureInstalled({ quiet: true });
if (!existsSync(join(root, program))) console.log('Building');
must(...turbo(['build', '--filter=@mcpinfra/example-quickstart...'], { quiet: true }));
process.exitCode = run(process.execPath, [program, ...process.argv.slice(2)]);
