import { Client } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { isRequest, type Message, resultResponse } from '../json-rpc.js';
import { MuxSession } from './mux-session.js';

const hello = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'fake', version: '1' } };

function sessionOf(answered: readonly string[]) {
  const asked: string[] = [];
  const session = new MuxSession({
    take: async (from: MuxSession, message: Message) => {
      if (!('method' in message)) return;
      asked.push(message.method);
      if (!isRequest(message) || !answered.includes(message.method)) return;
      queueMicrotask(() =>
        from.deliver(resultResponse(message.id, message.method === 'initialize' ? hello : {})),
      );
    },
    leave: () => undefined,
  });
  return { session, asked };
}

describe('MuxSession', () => {
  it('is taken for stdio by the MCP client: a silent server is legacy, not broken', async () => {
    const { session, asked } = sessionOf(['initialize']);
    const client = new Client(
      { name: 'c', version: '1' },
      { versionNegotiation: { mode: 'auto', probe: { timeoutMs: 20 } } },
    );
    await client.connect(session);
    expect(client.getProtocolEra()).toBe('legacy');
    expect(asked).toEqual(['server/discover', 'initialize', 'notifications/initialized']);
  });

  it('is not asked for its era when the client is told', async () => {
    const { session, asked } = sessionOf(['initialize', 'ping']);
    const client = new Client({ name: 'c', version: '1' });
    await client.connect(session, { prior: { kind: 'legacy' } });
    await client.ping();
    expect(asked).toEqual(['initialize', 'notifications/initialized', 'ping']);
  });

  it('needs nothing asked when the client is told what the server is', async () => {
    const { session, asked } = sessionOf([]);
    const client = new Client({ name: 'c', version: '1' });
    const discover = {
      supportedVersions: ['2026-07-28'],
      capabilities: {},
      ttlMs: 0,
      cacheScope: 'private',
    } as const;
    await client.connect(session, {
      prior: {
        kind: 'modern',
        discover: { ...discover, supportedVersions: [...discover.supportedVersions] },
      },
    });
    expect(client.getProtocolEra()).toBe('modern');
    expect(asked).toEqual([]);
  });

  it('closes once, and delivers nothing afterwards', async () => {
    const { session } = sessionOf([]);
    let closed = 0;
    let heard = 0;
    session.onclose = () => void (closed += 1);
    session.onmessage = () => void (heard += 1);
    await session.close();
    await session.close();
    session.end();
    session.deliver(resultResponse(1, {}));
    expect({ closed, heard }).toEqual({ closed: 1, heard: 0 });
  });
});
