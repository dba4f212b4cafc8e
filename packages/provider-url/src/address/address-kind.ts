import { BlockList, isIP } from 'node:net';
import { carriedIPv4 } from './carried-ipv4.js';

/** What an address is for, as far as it matters to whether a server may be there. */
export type AddressKind =
  'public' | 'loopback' | 'private' | 'link-local' | 'metadata' | 'multicast' | 'unspecified' | 'reserved';

// IANA special-purpose address registries (RFC 6890); the first kind that fits is taken.
const networks: readonly (readonly [Exclude<AddressKind, 'public'>, readonly string[]])[] = [
  [
    'metadata',
    [
      '169.254.169.254/32',
      '169.254.170.2/32',
      '100.100.100.200/32',
      '168.63.129.16/32',
      '192.0.0.192/32',
      'fd00:ec2::254/128',
      'fd20:ce::254/128',
    ],
  ],
  ['loopback', ['127.0.0.0/8', '::1/128']],
  ['unspecified', ['0.0.0.0/8', '::/128']],
  ['link-local', ['169.254.0.0/16', 'fe80::/10']],
  [
    'private',
    [
      '10.0.0.0/8',
      '172.16.0.0/12',
      '192.168.0.0/16',
      // Shared with the provider's other customers (RFC 6598); overlay networks use it too.
      '100.64.0.0/10',
      'fc00::/7',
      'fec0::/10',
      '64:ff9b:1::/48',
    ],
  ],
  ['multicast', ['224.0.0.0/4', 'ff00::/8']],
  [
    'reserved',
    [
      '192.0.0.0/24',
      '192.0.2.0/24',
      '192.88.99.0/24',
      '198.18.0.0/15',
      '198.51.100.0/24',
      '203.0.113.0/24',
      '240.0.0.0/4',
      '2001::/23',
      '2001:db8::/32',
      // Addresses of 6to4 carry any other; nothing has been reached by it since RFC 7526.
      '2002::/16',
      '3fff::/20',
    ],
  ],
];

const kinds = networks.map(([kind, subnets]) => [kind, blockListOf(subnets)] as const);
const globalIPv6 = blockListOf(['2000::/3']);

/** Tells what an IP address is for; one that carries an IPv4 address is what that is. A text that is none is `reserved`. */
export function addressKind(address: string): AddressKind {
  const plain = plainAddress(address);
  const family = isIP(plain);
  if (family === 0) return 'reserved';
  const type = family === 6 ? 'ipv6' : 'ipv4';
  const found = kinds.find(([, list]) => list.check(plain, type))?.[0];
  return found ?? (family === 6 && !globalIPv6.check(plain, type) ? 'reserved' : 'public');
}

/** Gives the address that is really meant: without a zone, and the IPv4 address where one is carried. */
export function plainAddress(address: string): string {
  const bare = address.replace(/^\[|\]$|%.*$/gu, '');
  return isIP(bare) === 6 ? (carriedIPv4(bare) ?? bare) : bare;
}

/** Makes a list of networks, each written `address/prefix`. */
export function blockListOf(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [address = '', prefix = ''] = subnet.split('/');
    list.addSubnet(address, Number(prefix), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}
