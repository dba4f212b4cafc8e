import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { fixtureServer, hostileServer } from '@mcpinfra/tools';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { HandshakeRecord } from '../domain/instance/instance-record.js';
import type { ProtocolEraChoice } from '../domain/json-spec/json-spec.js';
import type { CallProgress, MCPLink, MCPLinks, ProbeRequest } from '../ports/mcp-link.js';
import { systemClock } from '../runtime/system-clock.js';
import { recordingLogger } from '../testing/recording-logger.js';
import { createMCPLinks } from './create-mcp-links.js';

const everything = fileURLToPath(
  import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'),
);
const probe: ProbeRequest = { check: { type: 'mcp' }, timeoutMs: 15_000, listTools: true };

const children = new Set<ChildProcess>();
const open = new Set<MCPLink>();
afterEach(async () => {
  await Promise.all([...open].map((link) => link.close()));
  for (const child of children) child.kill('SIGKILL');
  open.clear();
  children.clear();
});

interface Options {
  readonly era?: ProtocolEraChoice;
  readonly known?: HandshakeRecord;
  readonly links?: MCPLinks;
  readonly callTimeoutMs?: number;
}

/** A link to a process that is started at the first dial, and anew after it ended. */
function linkTo(
  args: readonly string[],
  { era = 'legacy', known, links, callTimeoutMs = 10_000 }: Options = {},
) {
  let child: ChildProcess | undefined;
  const dials: ChildProcess[] = [];
  const link = (links ?? createMCPLinks({ clock: systemClock, logger: recordingLogger() })).open({
    instanceId: args.join(' '),
    revision: 1,
    protocolEra: era,
    callTimeoutMs,
    known: known ?? null,
    dial: async () => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
        child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'] });
        children.add(child);
      }
      dials.push(child);
      const { stdin: input, stdout: output } = child;
      if (input === null || output === null) throw new Error('no pipes');
      return { kind: 'stdio', channel: { input, output, close: () => undefined } };
    },
  });
  open.add(link);
  return { link, dials };
}

const text = (result: { readonly content: readonly unknown[] }) =>
  (result.content[0] as { text?: string }).text;

describe('a link over stdio', () => {
  it.each([
    ['server-everything', [everything, 'stdio'], 'legacy', 'legacy'],
    ['a legacy server', [fixtureServer, '--stdio', '--era', 'legacy'], 'legacy', 'legacy'],
    ['a legacy server asked for its era', [fixtureServer, '--stdio', '--era', 'legacy'], 'auto', 'legacy'],
    ['a modern server', [fixtureServer, '--stdio', '--era', 'modern'], 'modern', 'modern'],
    ['a modern server asked for its era', [fixtureServer, '--stdio', '--era', 'modern'], 'auto', 'modern'],
  ] as const)('probes, calls and connects to %s', async (...[, args, era, spoken]) => {
    const { link, dials } = linkTo(args, { era });
    const first = await link.probe(probe);
    expect(first).toMatchObject({ ok: true, unauthorized: false, handshake: { era: spoken } });
    if (!first.ok) return;
    expect(first.handshake?.tools.map(({ name }) => name)).toContain('echo');
    expect(await link.probe({ ...probe, listTools: false })).toMatchObject({ ok: true, handshake: null });
    const argument = { text: 'hi', message: 'hi' };
    expect(text(await link.callTool({ name: 'echo', arguments: argument }))).toContain('hi');
    const client = await link.connect();
    expect(client.getProtocolEra()).toBe(spoken);
    expect((await client.listTools()).tools).toHaveLength(first.handshake?.tools.length ?? -1);
    await client.close();
    expect(text(await link.callTool({ name: 'echo', arguments: argument }))).toContain('hi');
    expect(dials).toHaveLength(1);
    expect(link.callsInFlight).toBe(0);
  });

  it('makes one process serve all who come at once', async () => {
    const { link, dials } = linkTo([fixtureServer, '--stdio', '--era', 'legacy']);
    const clients = await Promise.all([link.connect(), link.connect(), link.connect()]);
    const calls = clients.map((client, n) =>
      client.callTool({ name: 'echo', arguments: { text: `from ${n}` } }),
    );
    expect((await Promise.all(calls)).map((result) => text(result))).toEqual(['from 0', 'from 1', 'from 2']);
    const pooled = await Promise.all([1, 2, 3].map((n) => link.callTool({ name: 'pid', arguments: { n } })));
    expect(new Set(pooled.map(text)).size).toBe(1);
    expect(dials).toHaveLength(1);
  });

  it('counts calls in flight and says when there are none', async () => {
    const { link } = linkTo([fixtureServer, '--stdio', '--era', 'legacy']);
    await link.drained();
    const call = link.callTool({ name: 'sleep', arguments: { ms: 200 } });
    await vi.waitFor(() => expect(link.callsInFlight).toBe(1));
    const before = link.lastByteMs;
    await link.drained();
    expect(link.callsInFlight).toBe(0);
    expect(link.lastByteMs).toBeGreaterThan(before);
    await call;
  });

  it('tells how far a server says that it is with a call', async () => {
    const { link } = linkTo([fixtureServer, '--stdio', '--era', 'legacy']);
    const told: CallProgress[] = [];
    const onProgress = (progress: CallProgress) => told.push(progress);
    await link.callTool({ name: 'sleep', arguments: { ms: 50 } }, { onProgress });
    expect(told.length).toBeGreaterThan(0);
    expect(told[0]?.progress).toBeTypeOf('number');
  });

  it('counts the sessions that it gave away, from their opening to their end, and none of its own', async () => {
    const { link } = linkTo([fixtureServer, '--stdio', '--era', 'legacy']);
    await link.callTool({ name: 'echo', arguments: { text: 'hi' } });
    await link.vacated();
    const ended: string[] = [];
    const opening = link.connect({ onEnded: () => ended.push('client') });
    let isVacated = false;
    const vacated = link.vacated().then(() => (isVacated = true));
    const client = await opening;
    client.onclose = () => ended.push('onclose');
    const session = await link.openSession();
    await client.close();
    expect(ended.sort()).toEqual(['client', 'onclose']);
    expect(isVacated).toBe(false);
    await session.close();
    await vacated;
  });

  it('cancels a call at the server when the caller aborts, and when its time is over', async () => {
    const { link } = linkTo([fixtureServer, '--stdio', '--era', 'legacy'], { callTimeoutMs: 3_000 });
    const abort = new AbortController();
    const call = link.callTool({ name: 'sleep', arguments: { ms: 60_000 } }, { signal: abort.signal });
    await vi.waitFor(() => expect(link.callsInFlight).toBe(1));
    abort.abort();
    await expect(call).rejects.toMatchObject({ code: 'ABORTED' });
    const late = link.callTool({ name: 'sleep', arguments: { ms: 60_000 } });
    await expect(late).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT' });
    await vi.waitFor(async () => {
      expect(text(await link.callTool({ name: 'cancellations', arguments: {} }))).toBe('2');
    });
    expect(link.callsInFlight).toBe(0);
  });

  it.each(['legacy', 'modern'] as const)('tells that the tools changed in the %s era', async (era) => {
    const { link } = linkTo([fixtureServer, '--stdio', '--era', era], { era });
    const changed = vi.fn();
    link.onToolsChanged(changed);
    await link.probe(probe);
    await link.callTool({ name: 'list_changed', arguments: {} });
    await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 5_000 });
  });

  it('says that the outcome is unknown when the server dies during a call, and dials anew for the next', async () => {
    const { link, dials } = linkTo([fixtureServer, '--stdio', '--era', 'legacy']);
    const client = await link.connect();
    const closed = vi.fn();
    client.onclose = closed;
    await expect(link.callTool({ name: 'crash', arguments: { code: 3 } })).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
    });
    expect(closed).toHaveBeenCalledOnce();
    await vi.waitFor(() => expect(dials[0]?.exitCode).toBe(3));
    expect(text(await link.callTool({ name: 'echo', arguments: { text: 'again' } }))).toBe('again');
    expect(dials).toHaveLength(2);
    expect(link.callsInFlight).toBe(0);
  });

  it('ends calls in flight with an unknown outcome when it is closed, and opens nothing afterwards', async () => {
    const { link } = linkTo([fixtureServer, '--stdio', '--era', 'legacy']);
    const client = await link.connect();
    const call = link.callTool({ name: 'sleep', arguments: { ms: 60_000 } });
    await vi.waitFor(() => expect(link.callsInFlight).toBe(1));
    const [ended] = await Promise.allSettled([call, link.close(), link.close()]);
    expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'OUTCOME_UNKNOWN' } });
    expect(client.transport).toBeUndefined();
    await expect(link.connect()).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    await expect(link.callTool({ name: 'pid', arguments: {} })).rejects.toMatchObject({
      code: 'CONNECTION_CLOSED',
    });
    expect(await link.probe(probe)).toMatchObject({ ok: false, code: 'CONNECTION_CLOSED' });
  });

  it('refuses a client that asks for what a shared server cannot ask it', async () => {
    const { link } = linkTo([hostileServer, 'server-requests']);
    const said = text(await link.callTool({ name: 'echo', arguments: { text: 'x' } }));
    expect(said).toContain('-32601');
  });

  it.each([
    ['garbage', []],
    ['batch', []],
    ['reuse-ids', []],
    ['flood-stderr', ['--bytes', '100000']],
    ['late', ['--ms', '100']],
    ['slow-start', ['--ms', '500']],
    ['stdio-though-port', []],
  ])('copes with a server that does %s', async (behaviour, args) => {
    const { link } = linkTo([hostileServer, behaviour, ...args]);
    expect(await link.probe(probe)).toMatchObject({ ok: true, handshake: { tools: [{ name: 'echo' }] } });
    for (const n of ['a', 'b', 'c'])
      expect(text(await link.callTool({ name: 'echo', arguments: { text: n } }))).toBe(n);
    expect(await link.probe({ ...probe, listTools: false })).toMatchObject({ ok: true });
  });

  it('takes a server without tools for healthy', async () => {
    const { link } = linkTo([hostileServer, 'no-tools']);
    expect(await link.probe(probe)).toMatchObject({ ok: true, handshake: { tools: [] } });
  });

  it('gives up a message beyond the limit', async () => {
    const { link } = linkTo([hostileServer, 'huge', '--bytes', String(70 * 1024 * 1024)]);
    const call = link.callTool({ name: 'echo', arguments: { text: 'x' } });
    await expect(call).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
  });

  it('takes an answer of fifty megabytes', async () => {
    const { link } = linkTo([hostileServer, 'huge', '--bytes', '50000000']);
    expect(text(await link.callTool({ name: 'echo', arguments: { text: 'x' } }))?.length).toBeGreaterThan(
      49_000_000,
    );
  });

  it.each([
    ['hang-on-start', 'REQUEST_TIMEOUT', 'did not answer within'],
    ['exit-at-once', 'CONNECTION_CLOSED', 'output ended'],
    ['wrong-version', 'PROTOCOL_ERROR', '1999-12-31'],
  ] as const)('reports a server that does %s', async (behaviour, code, message) => {
    const { link } = linkTo([hostileServer, behaviour]);
    const report = await link.probe({ ...probe, timeoutMs: behaviour === 'hang-on-start' ? 500 : 10_000 });
    expect(report).toMatchObject({ ok: false, code, message: expect.stringContaining(message) as string });
  });

  it('reports a server that hung after it had answered', async () => {
    const { link } = linkTo([hostileServer, 'hang-after', '--after', '2']);
    expect(await link.probe(probe)).toMatchObject({ ok: true });
    expect(await link.probe({ ...probe, timeoutMs: 300 })).toMatchObject({
      ok: false,
      code: 'REQUEST_TIMEOUT',
    });
  });

  it('rejects a probe for an abort of the caller only', async () => {
    const { link } = linkTo([hostileServer, 'hang-on-start']);
    const abort = new AbortController();
    const looking = link.probe(probe, { signal: abort.signal });
    abort.abort(new Error('no longer'));
    await expect(looking).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('remembers for the next link that a server ends at the question for its era', async () => {
    const links = createMCPLinks({ clock: systemClock, logger: recordingLogger() });
    const args = [hostileServer, 'exit-on-unknown'];
    const { link } = linkTo(args, { era: 'auto', links });
    expect(await link.probe(probe)).toMatchObject({ ok: false, code: 'ERA_MISMATCH' });
    const { link: next, dials } = linkTo(args, { era: 'auto', links });
    expect(await next.probe(probe)).toMatchObject({ ok: true, handshake: { era: 'legacy' } });
    expect(dials).toHaveLength(1);
  });

  it('finds out the era of a modern server that is slow to begin', async () => {
    // The question is waited for two seconds; what is written to it meanwhile it reads when it is there.
    const code = `setTimeout(() => { process.argv.push('x', '--stdio', '--era', 'modern'); import(${JSON.stringify(pathToFileURL(fixtureServer).href)}); }, 2300)`;
    const { link } = linkTo(['--input-type=module', '-e', code], { era: 'auto' });
    expect(await link.probe(probe)).toMatchObject({ ok: true, handshake: { era: 'modern' } });
  });

  it('does not ask a server of a known era', async () => {
    const known = { at: '2026-01-01T00:00:00.000Z', era: 'legacy', protocolVersion: '2025-11-25' } as const;
    const { link } = linkTo([hostileServer, 'exit-on-unknown'], {
      era: 'auto',
      known: { ...known, serverName: '', serverVersion: '', tools: [] },
    });
    // The verdict is old, but a server that ends at the question is not asked again.
    expect(await link.probe(probe)).toMatchObject({ ok: true });
  });

  it.each([
    ['legacy', 'modern'],
    ['modern', 'legacy'],
  ] as const)('says so when a server is pinned to %s but speaks %s', async (era, spoken) => {
    const { link } = linkTo([fixtureServer, '--stdio', '--era', spoken], { era });
    expect(await link.probe(probe)).toMatchObject({ ok: false, code: 'ERA_MISMATCH' });
  });

  it.each(['legacy', 'modern'] as const)('decides anew when the known era %s stops working', async (era) => {
    const known = {
      at: new Date().toISOString(),
      era,
      protocolVersion: '',
      serverName: '',
      serverVersion: '',
      tools: [],
    };
    const other = era === 'legacy' ? 'modern' : 'legacy';
    const { link } = linkTo([fixtureServer, '--stdio', '--era', other], { era: 'auto', known });
    expect(await link.probe(probe)).toMatchObject({ ok: true, handshake: { era: other } });
  });

  it('fails a probe whose canary tool answers an error, and passes one whose canary sings', async () => {
    const { link } = linkTo([fixtureServer, '--stdio', '--era', 'legacy']);
    const sing = (canary_tool: string) => link.probe({ ...probe, check: { type: 'mcp', canary_tool } });
    expect(await sing('test_simple_text')).toMatchObject({ ok: true });
    expect(await sing('test_error_handling')).toMatchObject({ ok: false, code: 'UNHEALTHY' });
  });

  it('passes a check of type none while the server can be dialled, and refuses checks over HTTP', async () => {
    const { link } = linkTo([hostileServer, 'hang-on-start']);
    expect(await link.probe({ ...probe, check: { type: 'none' } })).toMatchObject({
      ok: true,
      handshake: null,
    });
    expect(await link.probe({ ...probe, check: { path: '/health' } })).toMatchObject({
      ok: false,
      code: 'INVALID_SPEC',
    });
  });

  it('passes on why a server cannot be dialled', async () => {
    const link = createMCPLinks({ clock: systemClock, logger: recordingLogger() }).open({
      instanceId: 'x',
      revision: 1,
      protocolEra: 'legacy',
      callTimeoutMs: 1_000,
      known: null,
      dial: () => Promise.reject(new Error('engine is away')),
    });
    expect(await link.probe(probe)).toMatchObject({ ok: false, code: 'PROVIDER_FAILED' });
    await expect(link.connect()).rejects.toMatchObject({ code: 'PROVIDER_FAILED' });
    await link.close();
  });

  it('answers an unknown tool with the error of the server', async () => {
    const { link } = linkTo([fixtureServer, '--stdio', '--era', 'legacy']);
    await expect(link.callTool({ name: 'nope', arguments: {} })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });
});
