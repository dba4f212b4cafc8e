import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type {
  CopyRef,
  Dialed,
  LogLine,
  Observation,
  Provider,
  RunRequest,
  Secret,
  StdioChannel,
} from '@mcpinfra/core/plugin';
import type { ProcessSpec } from '@mcpinfra/provider-process';
import { processProvider, type ProcessProviderOptions } from '@mcpinfra/provider-process';
import { expect, onTestFinished } from 'vitest';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A provider with a fleet of its own, closed and checked for remains when the test is over. */
export interface Fleet {
  readonly name: string;
  readonly provider: Required<Provider<ProcessSpec>>;
  /** A copy that nobody else has. */
  newCopy(): CopyRef;
  request(spec: Partial<ProcessSpec>, more?: Partial<RunRequest<ProcessSpec>>): RunRequest<ProcessSpec>;
  /** Starts a server of its own copy. */
  start(spec: Partial<ProcessSpec>, environment?: Record<string, string | Secret>): Promise<Started>;
}

/** A server that was started. */
export interface Started {
  readonly request: RunRequest<ProcessSpec>;
  readonly copy: CopyRef;
  readonly observation: Observation;
  pids(): number[];
}

export async function openFleet(
  options: ProcessProviderOptions = {},
  name = `test-${randomUUID()}`,
  storeId = 'store-1',
): Promise<Fleet> {
  const provider = processProvider(options) as Required<Provider<ProcessSpec>>;
  await provider.open({ fleet: name, storeId, logger: silent });
  onTestFinished(async () => {
    await provider.close();
    expect(bearersOf(name)).toEqual([]);
  });
  const newCopy = (): CopyRef => ({ instanceId: randomUUID(), revision: 1, slug: 'fs-1-0a1b2c3d' });
  const request: Fleet['request'] = (spec, more = {}) => ({
    copy: newCopy(),
    spec: provider.specSchema.parse({ type: 'process', ...spec }),
    instanceName: 'fs-1',
    labels: {},
    environment: async () => ({}),
    secrets: async () => ({ render: () => expect.fail('asked for secrets'), values: [] }),
    onProgress: () => {},
    ...more,
  });
  return {
    name,
    provider,
    newCopy,
    request,
    async start(spec, environment = {}) {
      const made = request(spec, { environment: async () => environment });
      const observation = await provider.ensureRunning(made);
      return {
        request: made,
        copy: made.copy,
        observation,
        pids: () => bearersOf(name, made.copy.instanceId),
      };
    },
  };
}

/** The pids of all living processes that carry a fleet's mark, as the system shows them. */
export function bearersOf(fleet: string, instanceId?: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      const environ = environmentOf(pid);
      if (!environ.includes(`MCPINFRA_FLEET=${fleet}`)) return false;
      return instanceId === undefined || environ.includes(`MCPINFRA_INSTANCE=${instanceId}`);
    });
}

/** The environment a process was started with, one `NAME=value` each; empty for one that ended. */
export function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
  } catch {
    return [];
  }
}

/** The runtime given source code as a server. */
export function script(source: string): string[] {
  return [process.execPath, '-e', source];
}

/** Asks again until it is so. */
export async function until<T>(
  question: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const answer = await question();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) return expect.fail(`never became so: ${question.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Waits for the exit of a copy. */
export async function exitOf(fleet: Fleet, copy: CopyRef) {
  return until(async () => {
    const seen = await fleet.provider.observe(copy);
    return seen.state === 'exited' && seen.exit;
  });
}

export async function collect(lines: AsyncIterable<LogLine>): Promise<string[]> {
  const texts: string[] = [];
  for await (const line of lines) texts.push(line.text);
  return texts;
}

/** Waits until a copy has written a line with a text in it. */
export async function lineWith(fleet: Fleet, copy: CopyRef, text: string): Promise<string> {
  return until(async () =>
    (await collect(fleet.provider.logs(copy, {}))).find((line) => line.includes(text)),
  );
}

export async function dialStdio(fleet: Fleet, { copy, request }: Started): Promise<StdioChannel> {
  const dialed = await dial(fleet, { copy, request });
  return dialed.kind === 'stdio' ? dialed.channel : expect.fail('dialled over HTTP');
}

export async function dial(
  fleet: Fleet,
  { copy, request }: Pick<Started, 'copy' | 'request'>,
): Promise<Dialed> {
  return fleet.provider.dial({ copy, spec: request.spec, secrets: () => request.secrets() });
}

/** Sends a line and gives the next one that comes back. */
export async function ask(channel: StdioChannel, message: unknown): Promise<unknown> {
  let text = '';
  const answer = new Promise<string>((resolve) => {
    const onData = (chunk: Buffer): void => {
      text += chunk.toString();
      if (!text.includes('\n')) return;
      channel.output.off('data', onData);
      resolve(text);
    };
    channel.output.on('data', onData);
  });
  channel.input.write(`${JSON.stringify(message)}\n`);
  return JSON.parse(await answer);
}

/** Whether a process is there and no zombie. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
