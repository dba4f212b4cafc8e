import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { guardedConnector, type LookupAll } from './guarded-connector.js';
import { resolveOptions } from './url-provider-options.js';

let hits = 0;
const server = createServer((_request, response) => {
  hits += 1;
  response.end('reached');
});
let port = '';
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = String((server.address() as AddressInfo).port);
});
afterAll(() => server.close());

/** A DNS that answers each question with the next of the given answers. */
function answering(...answers: readonly (readonly string[])[]): LookupAll & { readonly asked: () => number } {
  let asked = 0;
  const lookupAll: LookupAll = (_name, _options, callback) => {
    const addresses = answers[Math.min(asked, answers.length - 1)] ?? [];
    asked += 1;
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return Object.assign(lookupAll, { asked: () => asked });
}

async function get(url: string, allow: readonly string[] = [], lookupAll?: LookupAll): Promise<string> {
  const agent = new Agent({ connect: guardedConnector(resolveOptions({ allow }).allowed, lookupAll) });
  onTestFinished(() => agent.destroy());
  const { body } = await request(url, { dispatcher: agent });
  return body.text();
}

describe('a guarded connection', () => {
  it.each([
    '127.0.0.1',
    '2130706433',
    '017700000001',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '127.1',
    '127.0.0.1.',
    '0',
    '0.0.0.0',
    '[::]',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[64:ff9b::127.0.0.1]',
    '[2002:7f00:1::]',
    '[fd00:ec2::254]',
    '169.254.169.254',
    '10.0.0.1',
    '192.168.0.1',
    'localhost',
    'LOCALHOST',
    '①②⑦.0.0.1',
  ])('goes nowhere for %s', async (host) => {
    const before = hits;
    await expect(get(`http://${host}:${port}/`)).rejects.toMatchObject({ code: 'ADDRESS_FORBIDDEN' });
    expect(hits).toBe(before);
  });

  it.each(['localhost.', 'a.localhost', 'intranet'])(
    'goes nowhere for %s, whatever the DNS makes of it',
    async (host) => {
      const answer = get(`http://${host}:${port}/`, [], answering(['127.0.0.1']));
      await expect(answer).rejects.toMatchObject({ code: 'ADDRESS_FORBIDDEN' });
    },
  );

  it('says host, address and the option to set', async () => {
    await expect(get(`http://intranet.example:${port}/`, [], answering(['10.1.2.3']))).rejects.toThrow(
      `intranet.example:${port} is at 10.1.2.3, an address of a private network, where this host lets no server be. ` +
        `If it may be there, set urlProvider({ allow: ["intranet.example:${port}"] }) (or "private" for every such address).`,
    );
    await expect(get(`http://x.example:${port}/`, [], answering(['169.254.169.254']))).rejects.toThrow(
      `x.example:${port} is at 169.254.169.254, an address of a cloud metadata service, where this host lets no server be. ` +
        'If it may be there, set urlProvider({ allow: ["169.254.169.254"] }).',
    );
  });

  it.each([['localhost'], [':port'], ['loopback'], ['127.0.0.0/8'], ['127.0.0.1']])(
    'goes to localhost where %s is allowed',
    async (allow) => {
      const entry = allow === ':port' ? `localhost:${port}` : allow;
      expect(await get(`http://localhost:${port}/`, [entry], answering(['127.0.0.1']))).toBe('reached');
    },
  );

  it('goes to a literal where it is allowed, and not to another port of it', async () => {
    expect(await get(`http://127.0.0.1:${port}/`, [`127.0.0.1:${port}`])).toBe('reached');
    expect(await get(`http://[::ffff:127.0.0.1]:${port}/`, ['127.0.0.1'])).toBe('reached');
    await expect(get(`http://127.0.0.1:${port}/`, ['127.0.0.1:1'])).rejects.toMatchObject({
      code: 'ADDRESS_FORBIDDEN',
    });
  });

  it('connects to the address that was checked, though the DNS says another one the next time', async () => {
    const rebinding = answering(['127.0.0.1'], ['10.0.0.1']);
    expect(await get(`http://rebind.example:${port}/`, ['127.0.0.1'], rebinding)).toBe('reached');
    expect(rebinding.asked()).toBe(1);
  });

  it('leaves out the forbidden ones of several addresses', async () => {
    const mixed = answering(['10.0.0.1', '127.0.0.1', 'fd00:ec2::254']);
    expect(await get(`http://mixed.example:${port}/`, ['127.0.0.1'], mixed)).toBe('reached');
  });

  it('does not follow a name that is allowed to a metadata service', async () => {
    const answer = get('http://trusted.example/', ['trusted.example'], answering(['169.254.169.254']));
    await expect(answer).rejects.toMatchObject({ code: 'ADDRESS_FORBIDDEN', details: { kind: 'metadata' } });
  });

  it('takes no way round by a proxy of the environment', async () => {
    vi.stubEnv('HTTP_PROXY', `http://127.0.0.1:${port}`);
    vi.stubEnv('http_proxy', `http://127.0.0.1:${port}`);
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    const before = hits;
    const answer = get('http://server.example:1/', ['127.0.0.1'], answering(['127.0.0.1']));
    await expect(answer).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    vi.unstubAllEnvs();
    expect(hits).toBe(before);
  });

  it('says that a name is unknown', async () => {
    await expect(get('http://no-such-host.invalid/')).rejects.toMatchObject({ code: 'HOST_NOT_FOUND' });
    await expect(get('http://empty.example/', [], answering([]))).rejects.toThrow(
      'The name empty.example could not be resolved (it has no address).',
    );
  });
});
