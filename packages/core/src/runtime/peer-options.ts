import type { PeerSettings } from '../mcp/peer/open-peer-link.js';
import { check, checkedKey } from './checked-options.js';

/** How the processes of a fleet reach what only one of them owns: standard streams and logs. */
export interface PeerOptions {
  /**
   * At least 32 bytes that every process of the fleet knows and nobody else, such as 32 random bytes in base64. Both sides
   * of a connection prove that they know it, and what passes is encrypted.
   */
  readonly key: string;
  /** Where this process listens for its peers; a worker without it is asked by nobody. @defaultValue it does not listen */
  readonly listen?: PeerListenOptions | undefined;
  /** Where others reach it: `host:port`, or `https://host:port`. @defaultValue where it listens */
  readonly advertise?: string | undefined;
}

/** Where a process listens for its peers. */
export interface PeerListenOptions {
  /** An address of this machine; `0.0.0.0` or `::` for all of them, which needs {@link PeerOptions.advertise}. */
  readonly host: string;
  /** `0` takes any free port. */
  readonly port: number;
}

/** Checks the peer options of a host. @throws `INVALID_OPTIONS`, without the key in it */
export function resolvePeerOptions(options: PeerOptions | undefined): PeerSettings | null {
  if (options === undefined) return null;
  check.known(options, ['key', 'listen', 'advertise'], 'peer');
  const key = checkedKey('peer.key', options.key);
  const listen = options.listen === undefined ? null : checkedListen(options.listen);
  const advertise = options.advertise === undefined ? null : checkedAddress(options.advertise);
  if (listen === null && advertise !== null) throw check.wrong('peer.advertise needs peer.listen, too');
  if (listen !== null && advertise === null && ['0.0.0.0', '::'].includes(listen.host)) {
    throw check.wrong(
      `peer.advertise must say where others reach this process, since peer.listen.host ${listen.host} is every address; for example "10.0.0.5:${listen.port}"`,
    );
  }
  return { key, listen, advertise };
}

function checkedListen(listen: PeerListenOptions): PeerListenOptions {
  check.known(listen, ['host', 'port'], 'peer.listen');
  const host = check.text('peer.listen.host', listen.host);
  return { host, port: check.whole('peer.listen.port', listen.port, { least: 0, most: 65_535 }) };
}

function checkedAddress(advertise: string): string {
  const text = /^https:\/\//u.test(advertise) ? advertise : `https://${advertise}`;
  const url = URL.canParse(text) ? new URL(text) : null;
  const hasPort = /:\d+\/?$/u.test(text) || text !== `https://${advertise}`;
  const plain = url?.pathname === '/' && url.search === '' && url.username === '' && url.hash === '';
  if (url && plain && hasPort) return `${url.hostname}:${url.port === '' ? '443' : url.port}`;
  throw check.unexpected('peer.advertise', 'an address such as "10.0.0.5:7443"', advertise);
}
