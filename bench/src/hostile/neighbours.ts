import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createMCPInfra, type MCPInfra } from '@mcpinfra/core';
import { type ProcessSpec, processProvider } from '@mcpinfra/provider-process';
import { fixtureServer } from '@mcpinfra/tools';
import { provokeHostile } from './hostile-servers.js';
import { Readings, type Reading } from './readings.js';

const good: ProcessSpec = {
  type: 'process',
  command: [process.execPath, fixtureServer, '--stdio'],
  transport: 'stdio',
};
const goodServers = 50;
const callsEach = 20;
const settleMs = 3_000;
const readyTimeoutMs = 120_000;

/** Good servers of one host, and the hostile ones that are put beside them. */
export class Neighbours {
  readonly #infra: MCPInfra = createMCPInfra({ providers: [processProvider()], onStop: 'destroy' });
  readonly #good: string[] = [];

  async open(signal: AbortSignal): Promise<void> {
    await this.#infra.start();
    for (let at = 0; at < goodServers; at += 1)
      this.#good.push((await this.#infra.instances.create({ name: `good-${at}`, jsonSpec: good })).id);
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

  /** Measures while hostile servers of this host run and are called, then removes them. */
  async measureBesideHostile(signal: AbortSignal): Promise<Reading> {
    const remove = await provokeHostile(this.#infra);
    try {
      await delay(settleMs, undefined, { signal });
      return await this.measure(signal);
    } finally {
      await remove();
    }
  }

  /** Measures while the same hostile servers run and are called by another host, which they cost as much of the machine. */
  async measureBesideOtherHost(signal: AbortSignal): Promise<Reading> {
    const other = fork(fileURLToPath(new URL('./hostile-other-host.js', import.meta.url)), { signal });
    try {
      await once(other, 'message', { signal });
      await delay(settleMs, undefined, { signal });
      return await this.measure(signal);
    } finally {
      const gone = once(other, 'exit');
      other.send('end');
      await gone;
    }
  }

  async close(): Promise<void> {
    await this.#infra.stop();
  }
}
