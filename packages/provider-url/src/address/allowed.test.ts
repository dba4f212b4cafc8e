import { describe, expect, it } from 'vitest';
import { resolveOptions } from '../url-provider-options.js';
import { parseAllowed } from './allowed.js';

describe('the option allow', () => {
  it('reads hosts, ports, addresses, networks and kinds', () => {
    expect(parseAllowed('loopback')).toEqual({ kind: 'loopback' });
    expect(parseAllowed('Intranet.Example.')).toEqual({ host: 'intranet.example' });
    expect(parseAllowed('localhost:03333')).toEqual({ host: 'localhost:3333' });
    expect(parseAllowed('127.1:80')).toEqual({ host: '127.0.0.1:80' });
    expect(parseAllowed('[::1]:80')).toEqual({ host: '[::1]:80' });
    expect(parseAllowed('10.0.0.7')).toEqual({ network: '10.0.0.7/32' });
    expect(parseAllowed('::1')).toEqual({ network: '::1/128' });
    expect(parseAllowed('[::1]')).toEqual({ network: '::1/128' });
    expect(parseAllowed('10.0.0.0/8')).toEqual({ network: '10.0.0.0/8' });
    expect(parseAllowed('fd00::/8')).toEqual({ network: 'fd00::/8' });
  });

  it.each([
    '',
    ' ',
    '.',
    'http://localhost',
    'a/b',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    'a:99999',
    'a:b',
    'a b',
    'u@h',
  ])('refuses %j and says what it takes', (entry) => {
    expect(() => resolveOptions({ allow: [entry] })).toThrow(/expected allow\[0\] to be a host, host:port/);
  });

  it('says nothing of public addresses: those are always allowed', () => {
    expect(resolveOptions({}).allowed.refusedKind('1.1.1.1', false)).toBeUndefined();
  });

  it('allows an address by its kind, its network and its host', () => {
    const { allowed } = resolveOptions({ allow: ['loopback', '10.1.0.0/16', 'intranet.example:8080'] });
    expect(allowed.refusedKind('127.0.0.1', false)).toBeUndefined();
    expect(allowed.refusedKind('::ffff:10.1.2.3', false)).toBeUndefined();
    expect(allowed.refusedKind('10.2.0.1', false)).toBe('private');
    expect(allowed.byName('intranet.example', '8080')).toBe(true);
    expect(allowed.byName('intranet.example', '80')).toBe(false);
    expect(allowed.refusedKind('10.2.0.1', true)).toBeUndefined();
  });

  it('lets no name lead to a metadata service, a link-local or a multicast address', () => {
    const { allowed } = resolveOptions({ allow: ['private', '169.254.7.7'] });
    for (const address of ['169.254.169.254', 'fd00:ec2::254', '169.254.0.1', '224.0.0.1', '0.0.0.0'])
      expect([address, allowed.refusedKind(address, true)]).not.toContain(undefined);
    expect(allowed.refusedKind('169.254.7.7', false)).toBeUndefined();
  });
});
