import { describe, expect, it } from 'vitest';
import { formatPeerPath, parsePeerPath, type PeerRequest } from './peer-path.js';

describe('the path of a request between peers', () => {
  it.each<PeerRequest>([
    { what: 'stdio', copy: { instanceId: 'a/b c%', revision: 12 } },
    { what: 'logs', logs: { instanceId: 'i-1', query: { follow: false } } },
    { what: 'logs', logs: { instanceId: 'i-1', query: { tail: 5, follow: true } } },
  ])('is read as it was written: %j', (request) => {
    expect(parsePeerPath(formatPeerPath(request))).toEqual(request);
  });

  it.each([
    '/',
    '/stdio',
    '/stdio/i',
    '/stdio/i/x',
    '/stdio/i/1/2',
    '/stdio//1',
    '/logs/i?tail=-1',
    '/env/i',
  ])('is refused when nobody writes it so: %s', (path) => {
    expect(() => parsePeerPath(path)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
