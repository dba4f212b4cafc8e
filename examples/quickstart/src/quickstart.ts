// Runs three MCP servers from npm, uses them, breaks one, and leaves nothing behind: as child processes, and in containers
// as well where a container engine answers. Needs no database: state, events and secrets are in memory.

import { randomBytes } from 'node:crypto';
import { createMCPInfra, memorySecrets, type Event, type MCPServerInstance } from '@mcpinfra/core';
import { processProvider } from '@mcpinfra/provider-process';
import { abandonedBy, untilGone } from './abandoned.js';
import type { Containers } from './containers.js';
import { findEngine, type Engine } from './engine.js';
import { eventText, inColumn } from './event-text.js';
import { failureLines, QuickstartFailure } from './failure.js';
import { processInstances } from './process-instances.js';
import { Screen } from './screen.js';
import { serverDefinitions, textOf, type QuickstartInstance } from './servers.js';
import { printStatusTable } from './status-table.js';

/** An instance that was made, and what of. */
interface Made extends QuickstartInstance {
  readonly id: string;
}

const screen = new Screen();
const apiKey = process.env['QUICKSTART_API_KEY'] ?? randomBytes(16).toString('hex');

screen.line(screen.paint('@mcpinfra quickstart: three MCP servers from npm, on embedded defaults', 'bold'));
const { containers, instances } = await prepare().catch(fail);
const places = [...new Set(instances.map(({ place }) => place))];

const infra = createMCPInfra({
  providers: [processProvider(), ...(containers ? [containers.provider] : [])],
  // Instances say `secret_ref:instance_123:API_KEY`; only the server itself is handed the value.
  secrets: [memorySecrets({ 'instance_123:API_KEY': apiKey })],
  // Containers would go on without their host; the store in memory could not tell the next one of them.
  onStop: 'destroy',
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
  fail(interrupted.signal.aborted ? interrupted.signal.reason : error);
}

async function quickstart(): Promise<string> {
  await startCleaningUp();

  screen.step(`Register three servers, and create ${instances.length} instances`);
  const made = await createInstances();
  await printTable(made);

  screen.step('Call a tool of each');
  let calls = 0;
  for (const instance of made) {
    await callTool(instance);
    calls += 1;
  }
  await checkSecretIsNowhere(made);

  screen.step('Kill the filesystem server');
  let recoveries = 0;
  for (const victim of made.filter(({ server }) => server === 'filesystem')) {
    await killAndRecover(victim);
    recoveries += 1;
  }
  await printTable(made);

  screen.step('Delete everything');
  await deleteAll(made);
  const recovered = `${recoveries} ${recoveries === 1 ? 'recovery' : 'recoveries'}`;
  return `quickstart ok: ${made.length} instances, ${calls} tool calls, ${recovered}${containers ? ', docker' : ''}`;
}

/** Tells what will be run: in containers too, where an engine answers. Says why where none does. */
async function prepare(): Promise<{ containers?: Containers; instances: readonly QuickstartInstance[] }> {
  const instances = processInstances(apiKey);
  const engine = await findEngine();
  const containers = typeof engine === 'string' ? engine : await makeImages(engine);
  if (typeof containers !== 'string')
    return { containers, instances: [...instances, ...containers.instances] };
  screen.line(`As processes only: ${containers}.`);
  screen.line('To run them in containers too, start Docker or set DOCKER_HOST=unix:///path/of/its/socket.');
  return { instances };
}

async function makeImages(engine: Engine): Promise<Containers | string> {
  // Imported where it is needed: it is more code than all the rest.
  const { prepareContainers } = await import('./containers.js');
  screen.line(`In containers too, on the engine at unix://${engine.socketPath}.`);
  return screen.during(() => 'making images', prepareContainers(engine, apiKey));
}

/** Starts, which ends what a run left that was killed. */
async function startCleaningUp(): Promise<void> {
  const left = await abandonedBy(places);
  await infra.start();
  if (left.length === 0) return;
  await screen.during(() => 'cleaning', untilGone(places, left));
  screen.line(`cleaned: ${left.length} ${left.length === 1 ? 'server' : 'servers'} of an earlier run`);
}

/** Resolves when all are running, and rejects at the first failure, which `waitUntilReady()` would wait through. */
async function createInstances(): Promise<readonly Made[]> {
  const registered = serverDefinitions.map(async (definition) => {
    const { id } = await infra.servers.register(definition, { signal });
    return [definition.name, id] as const;
  });
  const serverIds = new Map(await Promise.all(registered));
  let running = 0;
  const created = instances.map(async (instance): Promise<Made> => {
    const { name, jsonSpec } = instance;
    const input = { name, serverSpecId: serverIds.get(instance.server), jsonSpec };
    const { id } = await infra.instances.create(input, { wait: true, signal });
    running += 1;
    return { ...instance, id };
  });
  return screen.during(() => `${running} of ${instances.length} running`, Promise.all(created));
}

async function callTool({ id, name, server, call }: Made): Promise<void> {
  const tools = await infra.instances.tools(id, { signal });
  const result = await infra.instances.callTool(id, call.tool, call.arguments, { signal });
  const answer = textOf(result);
  const said = result.isError === true ? undefined : call.describe(answer);
  if (said === undefined) {
    const remedy = `see what the installed version of server-${server} answers.`;
    throw new QuickstartFailure(`${name} answered ${call.tool} in an unexpected way.`, remedy);
  }
  screen.note(`${inColumn(name)}${tools.length} tools, ${call.tool}: ${said}`);
}

/** The server has the key; whatever the library keeps, tells or logs has only the reference. */
async function checkSecretIsNowhere(made: readonly Made[]): Promise<void> {
  const logs: unknown[] = [];
  for (const { id } of made) for await (const line of infra.instances.logs(id)) logs.push(line);
  const contents = {
    events: heard,
    'list()': (await infra.instances.list()).items,
    'export()': await infra.export(),
    'logs()': logs,
    'doctor()': await infra.doctor(),
  };
  for (const [name, content] of Object.entries(contents)) {
    if (!JSON.stringify(content).includes(apiKey)) continue;
    throw new QuickstartFailure(`The secret is in ${name}.`, 'report this: it must never happen.');
  }
  screen.note(`${inColumn('everything')}API_KEY is in none of: ${Object.keys(contents).join(', ')}`);
}

/** Kills a server from outside, as a crash would, and waits for the next. */
async function killAndRecover({ id, name, place }: Made): Promise<void> {
  const [before] = await place.pidsOf(id);
  if (before === undefined)
    throw new QuickstartFailure(`The process of ${name} was not found.`, 'see whether /proc is readable.');

  const killedMs = performance.now();
  await place.kill(id);
  screen.note(`${inColumn(name)}SIGKILL to process ${before}`);
  const isBack = ({ status, statusDetail }: MCPServerInstance): boolean =>
    status === 'running' && statusDetail.lastExit?.signal === 'SIGKILL';
  await screen.during(() => `waiting for ${name}`, infra.instances.waitFor(id, isBack, { signal }));
  const tookS = ((performance.now() - killedMs) / 1000).toFixed(2);

  const [after] = await place.pidsOf(id);
  if (after === undefined || after === before)
    throw new QuickstartFailure(`${name} is running, but not as a new process.`, 'report this.');
  screen.note(`${inColumn(name)}running again after ${tookS} s as process ${after}`);
}

async function deleteAll(made: readonly Made[]): Promise<void> {
  const { fleet } = infra.identity;
  const deleted = made.map(({ id }) => infra.instances.delete(id, { wait: true, signal }));
  await screen.during(() => 'deleting', Promise.all(deleted));
  const left = (await Promise.all(places.map((place) => place.remains(fleet)))).flat();
  if ((await infra.instances.count()) > 0 || left.length > 0)
    throw new QuickstartFailure(`Something is left after delete: ${left.join(', ')}.`, 'report this.');
  if (containers) screen.line(`The images ${containers.images} stay on the engine for the next run.`);
}

async function printTable(made: readonly Made[]): Promise<void> {
  const rows = made.map(async ({ id, place }) => ({
    instance: await infra.instances.get(id),
    toolCount: (await infra.instances.tools(id)).length,
    pids: await place.pidsOf(id),
  }));
  printStatusTable(screen, await Promise.all(rows));
}

function fail(error: unknown): never {
  const [first = '', ...others] = failureLines(error);
  console.error(`\n${screen.paint('quickstart failed', 'red')}: ${first}`);
  for (const line of others) console.error(`  ${line}`);
  process.exit(1);
}
