import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';

/** A time during which a container ran. */
interface Run {
  readonly container: string;
  /** `<instance>/<revision>` */
  readonly copy: string;
  readonly fromMs: number;
  toMs: number;
}

/** Two containers of one copy may overlap for so long while one replaces the other. */
const toleratedMs = 2_000;

/**
 * Notes from the engine's own events when containers of a fleet began and ended to run. Where the engine was away, what
 * was missed is made up for by a list.
 */
export class EngineDiary {
  readonly #docker: Docker;
  readonly #runs: Run[] = [];
  readonly #ending = new AbortController();
  readonly #loop: Promise<void>;

  constructor(socketPath: string) {
    this.#docker = new Docker({ socketPath });
    this.#loop = this.#follow();
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#loop;
  }

  /** Copies that ran twice at once for longer than a replacement takes. */
  get duplicates(): readonly string[] {
    const twice = new Set<string>();
    for (const [i, a] of this.#runs.entries()) {
      for (const b of this.#runs.slice(i + 1)) {
        if (a.copy !== b.copy || a.container === b.container) continue;
        if (Math.min(a.toMs, b.toMs) - Math.max(a.fromMs, b.fromMs) > toleratedMs) twice.add(a.copy);
      }
    }
    return [...twice];
  }

  async #follow(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      try {
        const stream = await this.#docker.getEvents({
          filters: { type: ['container'], event: ['start', 'die'], label: ['io.mcpinfra.fleet'] },
        });
        const leave = (): void => {
          (stream as unknown as { destroy(): void }).destroy();
        };
        this.#ending.signal.addEventListener('abort', leave, { once: true });
        await this.#catchUp();
        let rest = '';
        for await (const chunk of stream) {
          const lines = (rest + String(chunk)).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) if (line !== '') this.#note(JSON.parse(line) as EngineEvent);
        }
      } catch {
        // The engine is away, or this ends.
      }
      await sleep(100);
    }
  }

  #note({ Action: action, Actor: { ID: container, Attributes: labels }, timeNano }: EngineEvent): void {
    const atMs = timeNano / 1e6;
    if (action === 'start') this.#began(container, copyOf(labels), atMs);
    else this.#ended(container, atMs);
  }

  /** After the engine was away: what it no longer runs has ended, what it runs may have begun meanwhile. */
  async #catchUp(): Promise<void> {
    const running = await this.#docker.listContainers({ filters: { label: ['io.mcpinfra.fleet'] } });
    const ids = new Set(running.map(({ Id: id }) => id));
    for (const run of this.#runs) if (!ids.has(run.container)) this.#ended(run.container, Date.now());
    for (const { Id: id, Labels: labels } of running) this.#began(id, copyOf(labels), Date.now());
  }

  #began(container: string, copy: string, fromMs: number): void {
    if (this.#runs.some((run) => run.container === container && run.toMs === Infinity)) return;
    this.#runs.push({ container, copy, fromMs, toMs: Infinity });
  }

  #ended(container: string, toMs: number): void {
    for (const run of this.#runs) if (run.container === container && run.toMs === Infinity) run.toMs = toMs;
  }
}

interface EngineEvent {
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly timeNano: number;
}

function copyOf(labels: Readonly<Record<string, string>>): string {
  return `${labels['io.mcpinfra.instance'] ?? ''}/${labels['io.mcpinfra.revision'] ?? ''}`;
}
