import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import type { Fleet } from './fleet.js';
import type { MemberProcess } from './member-process.js';
import type { Kill } from './schedule.js';

/** Kills what a schedule names, and brings it back; what is away already is left alone. */
export class Killing {
  readonly #fleet: Fleet;
  readonly #signal: AbortSignal;
  readonly #away = new Set<unknown>();
  readonly #returns = new Set<Promise<void>>();
  /** How many were really killed. */
  count = 0;

  constructor(fleet: Fleet, signal: AbortSignal) {
    this.#fleet = fleet;
    this.#signal = signal;
  }

  begin({ victim, which, awayMs }: Kill): void {
    const { api, workers, redis, postgres, engine } = this.#fleet;
    const worker = workers[which % workers.length] ?? api;
    switch (victim) {
      case 'api':
      case 'worker':
        this.#take(victim === 'api' ? api : worker, awayMs, {
          kill: async (member: MemberProcess) => member.kill(),
          back: (member: MemberProcess) => member.start(this.#signal),
        });
        return;
      case 'frozen-worker':
        this.#take(worker, awayMs, {
          kill: async (member: MemberProcess) => member.freeze(),
          back: async (member: MemberProcess) => member.thaw(),
        });
        return;
      case 'redis':
      case 'postgres':
      case 'dockerd':
        this.#take({ redis, postgres, dockerd: engine }[victim], awayMs, {
          kill: (service) => service.kill(),
          back: (service) => service.restart(),
        });
        return;
      case 'container':
        this.#follow(this.#killContainer(which));
    }
  }

  /** Resolves when everything is back. */
  async settled(): Promise<void> {
    while (this.#returns.size > 0) await Promise.all(this.#returns);
  }

  #take<T>(
    victim: T,
    awayMs: number,
    {
      kill,
      back,
    }: { readonly kill: (victim: T) => Promise<void>; readonly back: (victim: T) => Promise<void> },
  ): void {
    if (this.#away.has(victim)) return;
    this.#away.add(victim);
    this.count += 1;
    const run = async (): Promise<void> => {
      await kill(victim);
      await sleep(awayMs);
      await insist(() => back(victim));
    };
    this.#follow(
      run().finally(() => {
        this.#away.delete(victim);
      }),
    );
  }

  #follow(work: Promise<void>): void {
    const followed = work.finally(() => {
      this.#returns.delete(followed);
    });
    this.#returns.add(followed);
  }

  async #killContainer(which: number): Promise<void> {
    const docker = new Docker({ socketPath: this.#fleet.engine.socketPath });
    try {
      const containers = await docker.listContainers({ filters: { label: ['io.mcpinfra.fleet'] } });
      const container = containers[which % Math.max(1, containers.length)];
      if (!container) return;
      await docker.getContainer(container.Id).kill({ signal: 'SIGKILL' });
      this.count += 1;
    } catch {
      // The engine is away, or the container was faster.
    }
  }
}

/** A service that has been killed may need more than one try to come back, above all a container engine. */
async function insist(start: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await start();
      return;
    } catch (error) {
      if (tries >= 5) throw error;
      await sleep(1_000);
    }
  }
}
