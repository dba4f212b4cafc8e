// Runs three MCP servers from npm, uses them, breaks one, and leaves nothing behind.
// Needs no engine and no database: state, events and secrets are in memory, servers are child processes.

import { randomBytes } from 'node:crypto';
import { createMCPInfra, memorySecrets, type Event, type MCPServerInstance } from '@mcpinfra/core';
import { processProvider } from '@mcpinfra/provider-process';
import { eventText } from './event-text.js';
import { failureLines, QuickstartFailure } from './failure.js';
import { Screen } from './screen.js';
import { processesWith, withDeadHost } from './server-processes.js';
import { quickstartServers, startedBy, textOf, type QuickstartServer } from './servers.js';
import { printStatusTable } from './status-table.js';

/** An instance and what it was made of. */
interface Made extends QuickstartServer {
  readonly id: string;
  readonly name: string;
}

const screen = new Screen();
const apiKey = process.env['QUICKSTART_API_KEY'] ?? randomBytes(16).toString('hex');

const infra = createMCPInfra({
  providers: [processProvider()],
  // Instances say `secret_ref:instance_123:API_KEY`; only the server's own process is handed the value.
  secrets: [memorySecrets({ 'instance_123:API_KEY': apiKey })],
});

const heard: Event[] = [];
infra.events.on('*', (event) => {
  heard.push(event);
  const text = eventText(event, screen);
  if (text !== undefined) screen.note(text);
});

// The library installs no signal handlers: when to stop is the host's decision.
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    interrupted.abort(new QuickstartFailure(`It was ended by ${name}.`, 'run it again.'));
  });
}
const signal = AbortSignal.any([interrupted.signal, AbortSignal.timeout(60_000)]);

try {
  const summary = await quickstart().finally(() => infra.stop());
  screen.line();
  screen.line(summary);
} catch (error) {
  const [first = '', ...others] = failureLines(
    interrupted.signal.aborted ? interrupted.signal.reason : error,
  );
  console.error(`\n${screen.paint('quickstart failed', 'red')}: ${first}`);
  for (const line of others) console.error(`  ${line}`);
  process.exitCode = 1;
}

async function quickstart(): Promise<string> {
  screen.line(screen.paint('@mcpinfra quickstart: three MCP servers from npm, on embedded defaults', 'bold'));
  await startCleaningUp();

  screen.step('Register three servers, and create an instance of each');
  const made = await createInstances(quickstartServers(apiKey));
  await printTable(made);

  screen.step('Call a tool of each');
  let calls = 0;
  for (const instance of made) {
    await callTool(instance);
    calls += 1;
  }
  await checkSecretIsNowhere(made);

  screen.step('Kill a server');
  const recoveries = await killAndRecover(made);
  await printTable(made);

  screen.step('Delete everything');
  await deleteAll(made);
  return `quickstart ok: ${made.length} instances, ${calls} tool calls, ${recoveries} recovery`;
}

/** Starts, which ends what a run left that was killed. */
async function startCleaningUp(): Promise<void> {
  const left = await withDeadHost(processesWith(startedBy.name, startedBy.value));
  await infra.start();
  if (left.length === 0) return;
  const living = new Set(processesWith(startedBy.name, startedBy.value).map(({ pid }) => pid));
  const still = left.filter(({ pid }) => living.has(pid));
  if (still.length > 0) {
    const pids = still.map(({ pid }) => pid).join(', ');
    throw new QuickstartFailure(`Processes of an earlier run do not end: ${pids}.`, 'end them with kill -9.');
  }
  screen.line(`cleaned: ${left.length} ${left.length === 1 ? 'process' : 'processes'} of an earlier run`);
}

/** Resolves when all are running, and rejects at the first failure, which `waitUntilReady()` would wait through. */
async function createInstances(servers: readonly QuickstartServer[]): Promise<readonly Made[]> {
  let running = 0;
  const all = servers.map(async (server): Promise<Made> => {
    const { id: serverSpecId, name } = await infra.servers.register(server.definition, { signal });
    const { jsonSpec } = server;
    const { id } = await infra.instances.create({ name, serverSpecId, jsonSpec }, { wait: true, signal });
    running += 1;
    return { ...server, id, name };
  });
  return screen.during(() => `${running} of ${servers.length} running`, Promise.all(all));
}

async function callTool({ id, name, call }: Made): Promise<void> {
  const tools = await infra.instances.tools(id, { signal });
  const result = await infra.instances.callTool(id, call.tool, call.arguments, { signal });
  const answer = textOf(result);
  const said = result.isError === true ? undefined : call.describe(answer);
  if (said === undefined) {
    const remedy = `see what the installed version of server-${name} answers.`;
    throw new QuickstartFailure(`${name} answered ${call.tool} in an unexpected way.`, remedy);
  }
  screen.note(`${name.padEnd(12)}${tools.length} tools, ${call.tool}: ${said}`);
}

/** The server has the key; whatever the library keeps, tells or logs has only the reference. */
async function checkSecretIsNowhere(made: readonly Made[]): Promise<void> {
  const logs: unknown[] = [];
  for (const { id } of made) for await (const line of infra.instances.logs(id)) logs.push(line);
  const places = {
    events: heard,
    'list()': (await infra.instances.list()).items,
    'export()': await infra.export(),
    'logs()': logs,
    'doctor()': await infra.doctor(),
  };
  for (const [place, content] of Object.entries(places)) {
    if (!JSON.stringify(content).includes(apiKey)) continue;
    throw new QuickstartFailure(`The secret is in ${place}.`, 'report this: it must never happen.');
  }
  screen.note(`${'everything'.padEnd(12)}API_KEY is in none of: ${Object.keys(places).join(', ')}`);
}

/** Kills the process of one server from outside, as a crash would, and waits for the next. */
async function killAndRecover(made: readonly Made[]): Promise<number> {
  const victim = made.find(({ name }) => name === 'filesystem');
  const [before] = victim ? pidsOf(victim.id) : [];
  if (!victim || before === undefined)
    throw new QuickstartFailure('The process to kill was not found.', 'see whether /proc is readable.');

  const killedMs = performance.now();
  process.kill(before, 'SIGKILL');
  screen.note(`${victim.name.padEnd(12)}SIGKILL to process ${before}`);
  const isBack = ({ status, statusDetail }: MCPServerInstance): boolean =>
    status === 'running' && statusDetail.lastExit?.signal === 'SIGKILL';
  const back = infra.instances.waitFor(victim.id, isBack, { signal });
  await screen.during(() => `waiting for ${victim.name}`, back);
  const tookMs = performance.now() - killedMs;

  const [after] = pidsOf(victim.id);
  if (after === undefined || after === before)
    throw new QuickstartFailure(`${victim.name} is running, but not as a new process.`, 'report this.');
  screen.note(
    `${victim.name.padEnd(12)}running again after ${(tookMs / 1000).toFixed(2)} s as process ${after}`,
  );
  return 1;
}

async function deleteAll(made: readonly Made[]): Promise<void> {
  const { fleet } = infra.identity;
  const deleted = made.map(({ id }) => infra.instances.delete(id, { wait: true, signal }));
  await screen.during(() => 'deleting', Promise.all(deleted));
  const left = processesWith('MCPINFRA_FLEET', fleet);
  if ((await infra.instances.count()) > 0 || left.length > 0) {
    const pids = left.map(({ pid }) => pid).join(', ');
    throw new QuickstartFailure(`Something is left after delete: processes ${pids}.`, 'report this.');
  }
}

async function printTable(made: readonly Made[]): Promise<void> {
  const rows = made.map(async ({ id }) => ({
    instance: await infra.instances.get(id),
    toolCount: (await infra.instances.tools(id)).length,
    pids: pidsOf(id),
  }));
  printStatusTable(screen, await Promise.all(rows));
}

function pidsOf(instanceId: string): number[] {
  return processesWith('MCPINFRA_INSTANCE', instanceId).map(({ pid }) => pid);
}
