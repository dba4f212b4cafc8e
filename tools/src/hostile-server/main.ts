import type { Behaviour } from './behaviour.js';
import { behaviours } from './behaviours.js';
import { type CommandLine, parseCommandLine } from './options.js';
import { serveHttp } from './serve-http.js';
import { serveStdio } from './serve-stdio.js';

const { behaviour, http, address } = readCommandLine();
await behaviour.start?.();
if (http) process.stderr.write(`listening ${await serveHttp(behaviour, address)}\n`);
else serveStdio(behaviour);

function readCommandLine(): {
  behaviour: Behaviour;
  http: boolean;
  address: Pick<CommandLine, 'host' | 'port'>;
} {
  try {
    const line = parseCommandLine(process.argv.slice(2), process.env);
    const entry = behaviours.get(line.behaviour);
    if (entry === undefined) throw new Error(`unknown behaviour '${line.behaviour}'`);
    const http = line.http || !entry.transports.includes('stdio');
    if (http && !entry.transports.includes('http')) throw new Error(`${line.behaviour} has no HTTP`);
    return { behaviour: entry.create(line), http, address: line };
  } catch (cause) {
    process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n`);
    process.stderr.write(
      `usage: hostile-server <behaviour> [--http]\nbehaviours: ${[...behaviours.keys()].join(' ')}\n`,
    );
    process.exit(2);
  }
}
