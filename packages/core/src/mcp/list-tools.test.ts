import { describe, expect, it } from 'vitest';
import { limits } from './limits.js';
import { listTools } from './list-tools.js';
import type { JSONObject } from './json-rpc.js';
import type { ServerConnection } from './server-connection.js';
import { readInitializeResult } from './server-hello.js';

const tool = (name: string, description = ''): JSONObject => ({ name, description, inputSchema: {} });

/** A server that answers with its pages one after another, the last of them for ever. */
function pages(...answers: readonly JSONObject[]) {
  const asked: unknown[] = [];
  const connection: Pick<ServerConnection, 'request'> = {
    request: async (_method, params) => {
      asked.push(params['cursor']);
      return answers[Math.min(asked.length, answers.length) - 1] ?? {};
    },
  };
  const list = () => listTools(connection as ServerConnection, new AbortController().signal);
  return { asked, list };
}

describe('listTools', () => {
  it('says nothing of a list that is kept whole', async () => {
    const { list } = pages({ tools: [tool('a')], nextCursor: '2' }, { tools: [tool('b')] });
    expect(await list()).toEqual({ tools: [tool('a'), tool('b')] });
  });

  it('asks no further when a cursor comes again', async () => {
    const { asked, list } = pages(
      { tools: [tool('a')], nextCursor: '1' },
      { tools: [tool('b')], nextCursor: '2' },
      { tools: [tool('c')], nextCursor: '1' },
    );
    const { tools, note } = await list();
    expect(asked).toEqual([undefined, '1', '2']);
    expect(tools).toHaveLength(3);
    expect(note).toContain('have no end');
  });

  it('keeps so many tools and says that there are more', async () => {
    const { list } = pages({ tools: Array.from({ length: 5_000 }, (_, at) => tool(`t${at}`)) });
    const { tools, note } = await list();
    expect(tools).toHaveLength(limits.tools);
    expect(note).toContain('the first 1000 are kept');
  });

  it('keeps so many bytes of them', async () => {
    const { list } = pages({
      tools: Array.from({ length: 100 }, (_, at) => tool(`t${at}`, 'x'.repeat(100_000))),
    });
    const { tools, note } = await list();
    expect(tools).toHaveLength(10);
    expect(note).toContain('LIMIT_EXCEEDED');
  });

  it('leaves out one that is nested too deeply to be walked through', async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`) as JSONObject;
    const { list } = pages({ tools: [tool('a'), { name: 'deep', inputSchema: deep }] });
    expect(await list()).toEqual({
      tools: [tool('a')],
      note: expect.stringContaining('nested too deeply') as string,
    });
  });
});

describe('what a server calls itself', () => {
  it('is cut, and has no control characters', () => {
    const serverInfo = { name: `\u001b[31m${'x '.repeat(500_000)}`, version: '1\n2' };
    const hello = readInitializeResult({ protocolVersion: '2025-11-25', serverInfo });
    expect(hello.serverName).toBe(`${'x '.repeat(limits.nameLength).slice(0, limits.nameLength - 1)}…`);
    expect(hello.serverVersion).toBe('1 2');
  });
});
