import { fileURLToPath } from 'node:url';
import { serverProcesses } from './server-processes.js';
import { getEnvironment, listFolder, readGraph, type QuickstartInstance } from './servers.js';

/**
 * Describes an instance of each server as a child process.
 *
 * @throws when one of their packages is not installed
 */
export function processInstances(apiKey: string): readonly QuickstartInstance[] {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  // The scripts themselves and not `npx`: one process for each server, and nothing is looked up.
  const everything = fileURLToPath(
    import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'),
  );
  const filesystem = fileURLToPath(
    import.meta.resolve('@modelcontextprotocol/server-filesystem/dist/index.js'),
  );
  const memory = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-memory/dist/index.js'));
  return [
    {
      name: 'everything',
      server: 'everything',
      jsonSpec: {
        type: 'process',
        command: [process.execPath, everything],
        environment: { API_KEY: 'secret_ref:instance_123:API_KEY' },
      },
      call: getEnvironment(apiKey),
      place: serverProcesses,
    },
    {
      name: 'filesystem',
      server: 'filesystem',
      jsonSpec: { type: 'process', command: [process.execPath, filesystem, folder] },
      call: listFolder(folder, 'package.json'),
      place: serverProcesses,
    },
    {
      name: 'memory',
      server: 'memory',
      jsonSpec: { type: 'process', command: [process.execPath, memory] },
      call: readGraph(),
      place: serverProcesses,
    },
  ];
}
