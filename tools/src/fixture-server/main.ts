import { serveHttp } from './http/serve-http.js';
import { type FixtureOptions, parseOptions, usage } from './options.js';
import { serveStdio } from './serve-stdio.js';

// As process 1 of a container it would otherwise ignore both signals.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));

const options = readOptions();
if (options.transport === 'stdio') await serveStdio(options.era);
else process.stderr.write(`listening ${await serveHttp(options)}\n`);

function readOptions(): FixtureOptions {
  try {
    return parseOptions(process.argv.slice(2), process.env);
  } catch (cause) {
    process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n${usage}\n`);
    process.exit(2);
  }
}
