import { mcpError } from '@mcpinfra/core/plugin';
import { allowed, parseAllowed, type Allowed } from './address/allowed.js';

/** Options of {@link urlProvider}. */
export interface UrlProviderOptions {
  /**
   * Where servers may be besides public addresses: a host (`intranet.example`), a host and port (`localhost:3333`), an
   * address (`10.0.0.7`), a network (`10.0.0.0/8`), or a kind of addresses (`loopback`, `private`).
   *
   * A host by its name may be at any address but link-local, metadata and multicast ones: those are allowed only as an
   * address or network.
   *
   * @defaultValue nothing but public addresses
   */
  readonly allow?: readonly string[] | undefined;
}

/** The options with nothing left open. */
export interface ResolvedOptions {
  /** As the host wrote it. */
  readonly allow: readonly string[];
  readonly allowed: Allowed;
}

const known = ['allow'];

/** Checks the options. @throws `INVALID_OPTIONS` */
export function resolveOptions(options: UrlProviderOptions): ResolvedOptions {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) refuse(key, `one of ${known.join(', ')}`, 'an unknown option');
  }
  // Hosts in plain JavaScript have no compiler to tell them.
  const allow: unknown = options.allow ?? [];
  if (!Array.isArray(allow)) return refuse('allow', 'a list of texts', allow);
  const rules = (allow as readonly unknown[]).map((entry) => {
    const rule = typeof entry === 'string' ? parseAllowed(entry) : undefined;
    const expected =
      'made of hosts, host:port, addresses, networks such as "10.0.0.0/8", "loopback" and "private"';
    return rule ?? refuse('allow', expected, entry);
  });
  return { allow: allow as readonly string[], allowed: allowed(rules) };
}

function refuse(name: string, expected: string, got: unknown): never {
  const shown = typeof got === 'string' ? JSON.stringify(got) : String(got);
  throw mcpError('INVALID_OPTIONS', `urlProvider: expected ${name} to be ${expected}, got ${shown}.`);
}
