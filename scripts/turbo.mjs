// Runs tasks of the packages: node scripts/turbo.mjs build lint

import { must, turbo } from './lib/run.mjs';

must(...turbo(process.argv.slice(2)));
