import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatSubnet, freeSubnets, overlaps, parseSubnet, type Subnet } from './subnet.js';

const subnet = (text: string): Subnet => parseSubnet(text) ?? expect.fail(`no subnet: ${text}`);
const anywhere = fc
  .record({ address: fc.nat({ max: 2 ** 16 - 1 }), prefix: fc.integer({ min: 20, max: 30 }) })
  .map(({ address, prefix }) =>
    subnet(`10.201.${String(address >> 8)}.${String(address & 255)}/${String(prefix)}`),
  );

describe('subnets', () => {
  it('are read and written', () => {
    for (const text of ['10.201.0.0/16', '172.17.0.0/16', '0.0.0.0/0', '255.255.255.255/32'])
      expect(formatSubnet(subnet(text))).toBe(text);
    expect(formatSubnet(subnet('10.201.3.77/28'))).toBe('10.201.3.64/28');
    for (const text of ['10.0.0.0', '10.0.0.256/8', '10.0.0.0/33', 'fd00::/8', ''])
      expect(parseSubnet(text)).toBeUndefined();
  });

  it('that are free lie in the pool and overlap nothing in use, and every one is found', () => {
    const pool = subnet('10.201.0.0/20');
    const property = fc.property(
      fc.array(anywhere, { maxLength: 20 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (used, begin) => {
        const found = [...freeSubnets(pool, { prefix: 24, begin }, used)];
        for (const one of found) {
          expect(overlaps(one, pool)).toBe(true);
          expect(used.some((other) => overlaps(one, other))).toBe(false);
        }
        const all = [...freeSubnets(pool, { prefix: 24, begin: 0 }, [])];
        expect(all).toHaveLength(16);
        const free = all.filter((one) => !used.some((other) => overlaps(one, other)));
        expect(new Set(found.map(formatSubnet))).toEqual(new Set(free.map(formatSubnet)));
      },
    );
    fc.assert(property);
  });
});
