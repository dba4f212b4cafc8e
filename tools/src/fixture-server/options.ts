import { parseArgs } from 'node:util';

/** Which protocol eras the server answers: `initialize` with sessions, stateless 2026-07-28, or both at one address. */
export type ServedEra = 'legacy' | 'modern' | 'both';

export type FixtureOptions =
  | { readonly transport: 'stdio'; readonly era: ServedEra }
  | {
      readonly transport: 'http';
      readonly era: ServedEra;
      readonly host: string;
      /** 0 takes a free port. */
      readonly port: number;
      readonly path: string;
      /** Host names the server insists on; any, when undefined. */
      readonly allowedHosts: readonly string[] | undefined;
    };

export const usage = `usage: fixture-server --stdio [--era legacy|modern|both]
       fixture-server --http [--port N] [--host 127.0.0.1] [--path /mcp] [--allowed-hosts a,b] [--era legacy|modern|both]`;

const loopback = ['127.0.0.1', 'localhost', '[::1]'];

/**
 * Reads the command line.
 *
 * @throws Error whose message says which argument is wrong and quotes it.
 */
export function parseOptions(argv: readonly string[], environment: NodeJS.ProcessEnv): FixtureOptions {
  const { values } = parseArgs({
    args: [...argv],
    strict: true,
    options: {
      stdio: { type: 'boolean', default: false },
      http: { type: 'boolean', default: false },
      era: { type: 'string', default: 'both' },
      port: { type: 'string', default: environment['PORT'] ?? '0' },
      host: { type: 'string', default: '127.0.0.1' },
      path: { type: 'string', default: '/mcp' },
      'allowed-hosts': { type: 'string' },
    },
  });
  if (values.stdio === values.http) throw new Error('give exactly one of --stdio and --http');
  const era = parseEra(values.era);
  if (values.stdio) return { transport: 'stdio', era };
  return {
    transport: 'http',
    era,
    host: values.host,
    port: parsePort(values.port),
    path: values.path,
    allowedHosts: values['allowed-hosts']?.split(',') ?? defaultAllowedHosts(values.host),
  };
}

/** A server on a loopback address is what DNS rebinding aims at; one bound to an outer address is reached by names it cannot know. */
function defaultAllowedHosts(host: string): readonly string[] | undefined {
  return loopback.includes(host) || host === '::1' ? loopback : undefined;
}

function parseEra(text: string): ServedEra {
  if (text === 'legacy' || text === 'modern' || text === 'both') return text;
  throw new Error(`--era must be legacy, modern or both, got '${text}'`);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(`--port must be an integer from 0 to 65535, got '${text}'`);
}
