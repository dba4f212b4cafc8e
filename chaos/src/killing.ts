import Docker from 'dockerode';
import type { Fleet } from './fleet.js';
import type { MemberProcess } from './member-process.js';
import type { Damage, Outages, Part } from './outages.js';
import type { Kill } from './schedule.js';

/** Kills what a schedule names, and brings it back; what is away already is left alone. */
export class Killing {
  readonly #fleet: Fleet;
  readonly #outages: Outages;
  readonly #signal: AbortSignal;

  constructor(fleet: Fleet, outages: Outages, signal: AbortSignal) {
    this.#fleet = fleet;
    this.#outages = outages;
    this.#signal = signal;
  }

  begin({ victim, which, awayMs }: Kill): void {
    const { api, workers } = this.#fleet;
    const worker = workers[which % workers.length] ?? api;
    switch (victim) {
      case 'api':
      case 'worker':
        this.#killMember(victim === 'api' ? api : worker, awayMs);
        return;
      case 'frozen-worker':
        this.#outages.begin('kills', worker, frozen(worker, awayMs));
        return;
      case 'redis':
      case 'postgres':
      case 'dockerd':
        this.#killService(victim, awayMs);
        return;
      case 'container':
        this.#outages.follow(this.#killContainer(which));
    }
  }

  #killMember(member: MemberProcess, forMs: number): void {
    this.#outages.begin('kills', member, {
      outage: { of: 'process', members: [member.name], how: 'killed' },
      forMs,
      harm: async () => member.kill(),
      mend: () => member.start(this.#signal),
    });
  }

  #killService(victim: 'redis' | 'postgres' | 'dockerd', forMs: number): void {
    const { redis, postgres, engine, members } = this.#fleet;
    const service = { redis, postgres, dockerd: engine }[victim];
    this.#outages.begin('kills', service, {
      outage: { of: partOf[victim], members: members.map(({ name }) => name), how: 'killed' },
      forMs,
      harm: () => service.kill(),
      mend: () => service.restart(),
    });
  }

  async #killContainer(which: number): Promise<void> {
    const docker = new Docker({ socketPath: this.#fleet.engine.socketPath });
    try {
      const containers = await docker.listContainers({ filters: { label: ['io.mcpinfra.fleet'] } });
      const container = containers[which % Math.max(1, containers.length)];
      if (!container) return;
      await docker.getContainer(container.Id).kill({ signal: 'SIGKILL' });
      this.#outages.count('kills');
    } catch {
      // The engine is away, or the container was faster.
    }
  }
}

const partOf = {
  redis: 'event-bus',
  postgres: 'store',
  dockerd: 'provider:docker',
} as const satisfies Record<string, Part>;

/** Stops a process of the fleet for a while, without its notice. */
export function frozen(member: MemberProcess, forMs: number): Damage {
  return {
    outage: { of: 'process', members: [member.name], how: 'frozen' },
    forMs,
    harm: async () => member.freeze(),
    mend: async () => member.thaw(),
  };
}
