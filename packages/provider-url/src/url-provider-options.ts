import { OptionChecks } from '@mcpinfra/core/plugin';
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

const check = new OptionChecks('urlProvider');

/** Checks the options. @throws `INVALID_OPTIONS` */
export function resolveOptions(options: UrlProviderOptions): ResolvedOptions {
  check.known(options, ['allow']);
  const allow: unknown = options.allow ?? [];
  if (!Array.isArray(allow)) throw check.unexpected('allow', 'a list of texts', allow);
  const rules = (allow as readonly unknown[]).map((rule, index) => {
    const parsed = typeof rule === 'string' ? parseAllowed(rule) : undefined;
    if (parsed !== undefined) return parsed;
    const expected = 'a host, host:port, address, network such as "10.0.0.0/8", "loopback" or "private"';
    throw check.unexpected(`allow[${index}]`, expected, rule);
  });
  return { allow: allow as readonly string[], allowed: allowed(rules) };
}
