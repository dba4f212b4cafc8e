import { describe, expect, it } from 'vitest';
import { messageOf } from '../domain/errors/normalise-error.js';
import { fakeProvider } from '../testing/fake-provider.js';
import { resolveOptions } from './options.js';
import type { PeerOptions } from './peer-options.js';

const key = 'k'.repeat(32);
const listen = { host: '127.0.0.1', port: 7443 };

const resolved = (peer: object | undefined) =>
  resolveOptions({ providers: [fakeProvider()], peer: peer as PeerOptions | undefined }).peer;

describe('the peer option', () => {
  it('may be left out', () => {
    expect(resolved(undefined)).toBe(null);
  });

  it('needs only a key to ask others', () => {
    expect(resolved({ key })).toEqual({ key, listen: null, advertise: null });
  });

  it.each([
    [undefined, null],
    ['10.0.0.5:7443', '10.0.0.5:7443'],
    ['https://10.0.0.5:7443', '10.0.0.5:7443'],
    ['https://worker-1.internal', 'worker-1.internal:443'],
    ['worker-1:443', 'worker-1:443'],
    ['[fd00::1]:7443', '[fd00::1]:7443'],
  ])('takes as advertise %s', (advertise, address) => {
    expect(resolved({ key, listen, advertise })).toEqual({ key, listen, advertise: address });
  });

  it.each<readonly [object, string]>([
    [{ key: 'secret-but-short' }, 'peer.key to be a text of at least 32 bytes'],
    [{ key: 12 }, 'got number'],
    [{}, 'got undefined'],
    [{ key, listne: listen }, 'did you mean "listen"?'],
    [{ key, listen: { ...listen, prot: 1 } }, 'did you mean "port"?'],
    [{ key, listen: { host: '', port: 1 } }, 'peer.listen.host'],
    [{ key, listen: { host: '::', port: 70_000 } }, 'peer.listen.port'],
    [{ key, listen: { host: '0.0.0.0', port: 7443 } }, 'for example "10.0.0.5:7443"'],
    [{ key, advertise: '10.0.0.5:7443' }, 'peer.advertise needs peer.listen'],
    ...['10.0.0.5', 'http://10.0.0.5:7443', '10.0.0.5:7443/x', 'a:b@10.0.0.5:7443', 'x:99999', ''].map(
      (advertise) => [{ key, listen, advertise }, 'peer.advertise to be'] as const,
    ),
  ])('is refused as %j', (peer, sentence) => {
    let error: unknown;
    try {
      resolved(peer);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS' });
    expect(messageOf(error)).toContain(sentence);
    expect(messageOf(error)).not.toContain('secret-but-short');
  });
});
