import { setTimeout as delay } from 'node:timers/promises';
import { createMCPInfra, type MCPInfra } from '@mcpinfra/core';
import { type ProcessSpec, processProvider } from '@mcpinfra/provider-process';
import { fixtureServer, hostileServer } from '@mcpinfra/tools';
import { Readings, type Reading } from './readings.js';

const goodServers = 50;
const callsEach = 20;
const settleMs = 3_000;
const readyTimeoutMs = 120_000;

const overStdio = [
  ['never-read'],
  ['flood'],
  ['flood-stderr'],
  ['garbage'],
  ['reuse-ids'],
  ['endless-lists'],
  ['huge-list'],
  ['huge', '--bytes', String(100 * 2 ** 20)],
] as const;
const overHTTP = [['huge', '--http', '--bytes', String(100 * 2 ** 20)], ['gzip-bomb'], ['retry-0']] as const;

/** Good servers of one host, and the hostile ones that are put beside them. */
export class Neighbours {
  readonly #infra: MCPInfra = createMCPInfra({ providers: [processProvider()], onStop: 'destroy' });
  readonly #good: string[] = [];

  async open(signal: AbortSignal): Promise<void> {
    await this.#infra.start();
    for (let at = 0; at < goodServers; at += 1)
      this.#good.push(await this.#create(`good-${at}`, [fixtureServer, '--stdio'], { transport: 'stdio' }));
    const limit = AbortSignal.any([signal, AbortSignal.timeout(readyTimeoutMs)]);
    for (const id of this.#good) await this.#infra.instances.waitUntilReady(id, { signal: limit });
  }

  /** Calls each good server in turn, one call after another at each and all at once. */
  async measure(signal: AbortSignal): Promise<Reading> {
    const readings = new Readings();
    const callAll = async (id: string): Promise<void> => {
      for (let call = 0; call < callsEach; call += 1) {
        await readings.time(() => this.#infra.instances.callTool(id, 'echo', { text: 'x' }, { signal }));
        await delay(50, undefined, { signal });
      }
    };
    await Promise.all(this.#good.map(callAll));
    return readings.end();
  }

  /** Measures while hostile servers run and are called, then removes them. */
  async measureBesideHostile(signal: AbortSignal): Promise<Reading> {
    const ended = new AbortController();
    const ids: string[] = [];
    const provoke = async (id: string): Promise<void> => {
      while (!ended.signal.aborted) {
        const calling = this.#infra.instances.callTool(id, 'echo', { text: 'x' }, { signal: ended.signal });
        await calling.catch(() => undefined);
        await delay(500, undefined, { signal: ended.signal }).catch(() => undefined);
      }
    };
    try {
      for (const command of overStdio) ids.push(await this.#createHostile(command, { transport: 'stdio' }));
      for (const command of overHTTP) ids.push(await this.#createHostile(command, { port: 'auto' }));
      const provoking = ids.map(provoke);
      await delay(settleMs, undefined, { signal });
      const reading = await this.measure(signal);
      ended.abort();
      await Promise.all(provoking);
      return reading;
    } finally {
      ended.abort();
      await Promise.all(ids.map((id) => this.#infra.instances.delete(id, { wait: true })));
    }
  }

  async close(): Promise<void> {
    await this.#infra.stop();
  }

  #createHostile(
    command: readonly [string, ...string[]],
    way: Pick<ProcessSpec, 'port' | 'transport'>,
  ): Promise<string> {
    const name = `hostile-${command.filter((word) => /^[a-z]/u.test(word)).join('-')}-${way.transport ?? 'http'}`;
    return this.#create(name, [hostileServer, ...command], way);
  }

  async #create(
    name: string,
    args: readonly string[],
    way: Pick<ProcessSpec, 'port' | 'transport'>,
  ): Promise<string> {
    const jsonSpec: ProcessSpec = { type: 'process', command: [process.execPath, ...args], ...way };
    const { id } = await this.#infra.instances.create({ name, jsonSpec });
    return id;
  }
}
