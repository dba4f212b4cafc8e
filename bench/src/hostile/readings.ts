import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What was read of a host while its servers were called. */
export interface Reading {
  readonly p99Ms: number;
  /** The most memory that the host held. */
  readonly memoryMegabytes: number;
  /** Of one processor. */
  readonly cpuShare: number;
  readonly failedCalls: number;
  /** The longest time in which nothing else could run. */
  readonly stallMs: number;
}

const lookEveryMs = 50;

/** Takes the times of calls, and looks at this process meanwhile. */
export class Readings {
  readonly #times: number[] = [];
  readonly #startedMs = performance.now();
  readonly #startedCPU = process.cpuUsage();
  readonly #timer = setInterval(() => this.#look(), lookEveryMs);
  readonly #delay = monitorEventLoopDelay({ resolution: 5 });
  #memory = 0;
  #failedCalls = 0;

  constructor() {
    this.#delay.enable();
  }

  /** Times a call; one that fails is counted. */
  async time(call: () => Promise<unknown>): Promise<void> {
    const startedMs = performance.now();
    try {
      await call();
    } catch {
      this.#failedCalls += 1;
    }
    this.#times.push(performance.now() - startedMs);
  }

  end(): Reading {
    this.#look();
    clearInterval(this.#timer);
    this.#delay.disable();
    const sorted = this.#times.sort((a, b) => a - b);
    const { user, system } = process.cpuUsage(this.#startedCPU);
    return {
      p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
      memoryMegabytes: this.#memory / 2 ** 20,
      cpuShare: (user + system) / 1_000 / (performance.now() - this.#startedMs),
      failedCalls: this.#failedCalls,
      stallMs: this.#delay.max / 1e6,
    };
  }

  #look(): void {
    this.#memory = Math.max(this.#memory, process.memoryUsage.rss());
  }
}
