import { describe, expect, it } from 'vitest';
import { addressKind, type AddressKind } from './address-kind.js';

const expected: Readonly<Record<AddressKind, readonly string[]>> = {
  public: ['1.1.1.1', '172.15.255.255', '172.32.0.1', '100.63.255.255', '100.128.0.1', '2606:4700::1111'],
  loopback: ['127.0.0.1', '127.255.255.254', '::1', '[::1]', '0:0:0:0:0:0:0:1'],
  private: [
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    'fc00::1',
    'fdff::1',
    'fec0::1',
  ],
  'link-local': ['169.254.0.1', 'fe80::1', 'fe80::1%eth0', 'febf::1'],
  metadata: ['169.254.169.254', '169.254.170.2', '100.100.100.200', '168.63.129.16', 'fd00:ec2::254'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1'],
  unspecified: ['0.0.0.0', '0.1.2.3', '::'],
  reserved: [
    '192.0.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '240.0.0.1',
    '255.255.255.255',
    '2001:db8::1',
    '100::1',
    '4000::1',
    'not an address',
    '',
  ],
};

describe('addressKind', () => {
  it.each(Object.entries(expected))('knows %s addresses', (kind, addresses) => {
    expect(addresses.map((address) => [address, addressKind(address)])).toEqual(
      addresses.map((address) => [address, kind]),
    );
  });

  it('takes the IPv4 address out of mapped and NAT64 addresses', () => {
    expect(addressKind('::ffff:127.0.0.1')).toBe('loopback');
    expect(addressKind('::ffff:7f00:1')).toBe('loopback');
    expect(addressKind('::FFFF:169.254.169.254')).toBe('metadata');
    expect(addressKind('::ffff:1.1.1.1')).toBe('public');
    expect(addressKind('64:ff9b::10.0.0.1')).toBe('private');
    expect(addressKind('64:ff9b::a9fe:a9fe')).toBe('metadata');
    expect(addressKind('64:ff9b::1.1.1.1')).toBe('public');
    expect(addressKind('64:ff9b:1::1.1.1.1')).toBe('private');
  });

  it('lets no tunnel carry an IPv4 address past it', () => {
    // 6to4, Teredo, IPv4-compatible and IPv4-translated addresses of 127.0.0.1.
    for (const address of ['2002:7f00:1::', '2001:0:7f00:1::80ff:fffe', '::127.0.0.1', '::ffff:0:127.0.0.1'])
      expect([address, addressKind(address)]).toEqual([address, 'reserved']);
  });
});
