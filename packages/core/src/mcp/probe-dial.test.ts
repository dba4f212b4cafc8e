import { expect, it } from 'vitest';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import type { LinkTarget, ProbeRequest } from '../ports/mcp-link.js';
import { manualClock } from '../testing/manual-clock.js';
import { recordingLogger } from '../testing/recording-logger.js';
import { createMCPLinks } from './create-mcp-links.js';

const request: ProbeRequest = { check: { type: 'mcp' }, timeoutMs: 60_000, listTools: false };

/** A link whose way to the server is found as given, and what it asked for. */
function linkOver(dial: LinkTarget['dial']) {
  const clock = manualClock();
  const state = { turns: 0 };
  const link = createMCPLinks({ clock, logger: recordingLogger() }).open({
    instanceId: 'one',
    revision: 1,
    protocolEra: 'legacy',
    callTimeoutMs: 10_000,
    known: null,
    dial,
  });
  const turn: ProbeRequest['turn'] = (ask) => {
    state.turns++;
    return ask();
  };
  return { clock, state, probe: () => link.probe({ ...request, turn }) };
}

it('says of a server whose way hangs that it was not asked, soon and without taking a turn', async () => {
  const { clock, state, probe } = linkOver(() => new Promise(() => undefined));
  const report = probe();
  await clock.advance(10_000);
  expect(await report).toMatchObject({ ok: false, code: 'PLUGIN_TIMEOUT', unreachable: true });
  expect(state.turns).toBe(0);
});

it.each([
  ['PLACEMENT_UNREACHABLE', true],
  ['PROVIDER_FAILED', true],
  ['SECRET_BACKEND_FAILED', true],
  ['INSTANCE_NOT_READY', false],
  ['CONNECTION_REFUSED', false],
  ['SECRET_NOT_FOUND', false],
] as const)('takes a dial that fails with %s for no fault of the server: %s', async (code, unreachable) => {
  const { probe } = linkOver(() => Promise.reject(mcpError(code, 'No.')));
  expect(await probe()).toMatchObject({ ok: false, code, unreachable });
});
