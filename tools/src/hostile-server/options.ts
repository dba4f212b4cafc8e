import { parseArgs } from 'node:util';

/** The numbers and names a behaviour may be given; each behaviour says what it makes of an absent one. */
export interface HostileOptions {
  readonly after: number | undefined;
  readonly ms: number | undefined;
  readonly code: number | undefined;
  readonly bytes: number | undefined;
  readonly pidfile: string | undefined;
  readonly url: string | undefined;
}

export interface CommandLine extends HostileOptions {
  readonly behaviour: string;
  readonly http: boolean;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

/**
 * Reads the command line.
 *
 * @throws Error whose message says which argument is wrong and quotes it.
 */
export function parseCommandLine(argv: readonly string[], environment: NodeJS.ProcessEnv): CommandLine {
  const { values, positionals } = parseArgs({
    args: [...argv],
    strict: true,
    allowPositionals: true,
    options: {
      http: { type: 'boolean', default: false },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string' },
      after: { type: 'string' },
      ms: { type: 'string' },
      code: { type: 'string' },
      bytes: { type: 'string' },
      pidfile: { type: 'string' },
      url: { type: 'string' },
    },
  });
  const [behaviour, ...more] = positionals;
  if (behaviour === undefined || more.length > 0) throw new Error('give exactly one behaviour');
  return {
    behaviour,
    http: values.http,
    host: values.host,
    port: count('port', values.port ?? environment['PORT']) ?? 0,
    after: count('after', values.after),
    ms: count('ms', values.ms),
    code: count('code', values.code),
    bytes: count('bytes', values.bytes),
    pidfile: values.pidfile,
    url: values.url,
  };
}

function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new Error(`--${name} must be a whole number, got '${text}'`);
}
