import { isIP } from 'node:net';
import { addressKind, blockListOf, plainAddress, type AddressKind } from './address-kind.js';
import { hostName } from './host-name.js';

/** What a host allows besides public addresses. */
export type AllowRule =
  { readonly kind: 'loopback' | 'private' } | { readonly host: string } | { readonly network: string };

/** Decides where servers may be. */
export interface Allowed {
  /** Whether a host is allowed by its name, wherever it is. */
  byName(host: string, port: string): boolean;
  /** Says what a refused address is; `undefined` for one that may be connected to. */
  refusedKind(address: string, byName: boolean): AddressKind | undefined;
}

// A name says nothing of these: whoever answers for it in the DNS could send us there.
const neverByName: readonly AddressKind[] = ['metadata', 'link-local', 'multicast', 'unspecified'];

/** Whether an address of a kind can be allowed by the name of its host. */
export function isAllowableByName(kind: AddressKind): boolean {
  return !neverByName.includes(kind);
}

/** Reads one entry of the option `allow`; `undefined` when it is none. */
export function parseAllowed(entry: string): AllowRule | undefined {
  if (entry === 'loopback' || entry === 'private') return { kind: entry };
  const [address = '', prefix, ...more] = entry.split('/');
  if (prefix !== undefined) {
    const bits = isIP(address) === 6 ? 128 : 32;
    const valid = isIP(address) !== 0 && /^\d{1,3}$/u.test(prefix) && Number(prefix) <= bits;
    return valid && more.length === 0 ? { network: entry } : undefined;
  }
  const bare = entry.replace(/^\[([^\]]*)\]$/u, '$1');
  if (isIP(bare) !== 0) {
    const plain = plainAddress(bare);
    return { network: `${plain}/${isIP(plain) === 6 ? '128' : '32'}` };
  }
  const parts = /^(\[[^\]]+\]|[^\s:@?#\\[\]]+)(?::(\d{1,5}))?$/u.exec(entry);
  const name = parts?.[1] === undefined ? undefined : hostName(parts[1]);
  const port = parts?.[2];
  if (name === undefined || Number(port ?? 1) > 65_535) return undefined;
  return { host: port === undefined ? name : `${name}:${String(Number(port))}` };
}

/** Puts rules together. */
export function allowed(rules: readonly AllowRule[]): Allowed {
  const kinds = new Set<AddressKind>(rules.flatMap((rule) => ('kind' in rule ? [rule.kind] : [])));
  const hosts = new Set(rules.flatMap((rule) => ('host' in rule ? [rule.host] : [])));
  const networks = blockListOf(rules.flatMap((rule) => ('network' in rule ? [rule.network] : [])));
  return {
    byName: (host, port) => hosts.has(host) || hosts.has(`${host}:${port}`),
    refusedKind(address, byName) {
      const kind = addressKind(address);
      const plain = plainAddress(address);
      const fits =
        kind === 'public' ||
        kinds.has(kind) ||
        (byName && isAllowableByName(kind)) ||
        networks.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
      return fits ? undefined : kind;
    },
  };
}
