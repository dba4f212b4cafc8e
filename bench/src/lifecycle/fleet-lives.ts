import { randomUUID } from 'node:crypto';
import { createMCPInfra, type MCPInfra } from '@mcpinfra/core';
import type { Ground } from './ground.js';
import type { Life, Transport } from './life.js';

/** Lives of servers that core runs, on its embedded defaults. */
export class FleetLives {
  readonly #ground: Ground;
  readonly #infra: MCPInfra;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#infra = createMCPInfra({ providers: [ground.provider], onStop: 'destroy' });
  }

  async open(): Promise<void> {
    await this.#infra.start();
  }

  async live(transport: Transport, signal: AbortSignal): Promise<Life> {
    const name = `bench-${randomUUID().slice(0, 8)}`;
    const jsonSpec = this.#ground.document(transport);
    const startedMs = performance.now();
    const { id } = await this.#infra.instances.create({ name, jsonSpec }, { signal });
    try {
      await this.#infra.instances.waitUntilReady(id, { signal });
      const readyMs = performance.now() - startedMs;
      return { readyMs, ...(await this.#crash({ id, transport }, signal)) };
    } finally {
      await this.#infra.instances.delete(id, { wait: true });
    }
  }

  async close(): Promise<void> {
    await this.#infra.stop();
  }

  async #crash(
    instance: { readonly id: string; readonly transport: Transport },
    signal: AbortSignal,
  ): Promise<Omit<Life, 'readyMs'>> {
    const pid = await this.#ground.pidOf(this.#infra, instance);
    let seenMs: number | undefined;
    let off = (): void => {};
    const serving = new Promise<number>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      off = this.#infra.events.on('MCPServerInstanceStatusChanged', ({ subject, data }) => {
        if (subject !== instance.id) return;
        if (data.to === 'failed') seenMs ??= performance.now();
        if (data.to === 'running' && seenMs !== undefined) resolve(performance.now());
      });
    });
    try {
      const killedMs = performance.now();
      process.kill(pid, 'SIGKILL');
      const servingMs = await serving;
      return { crashSeenMs: (seenMs ?? servingMs) - killedMs, crashServingMs: servingMs - killedMs };
    } finally {
      off();
    }
  }
}
