import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Links } from './links.js';
import {
  type Answer,
  type MemberConfig,
  type Request,
  type SentRequest,
  type Tenant,
  tenants,
} from './member-protocol.js';

/** So long a process may take to answer, also one that is frozen for a while. */
const answerMs = 120_000;

/** A refusal by a process, or that it is gone. */
export class MemberError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** For whom something is asked, and by which key it is known. */
export interface Asking {
  readonly key?: string;
  readonly tenant?: Tenant;
}

/** A place in the fleet, with the process that fills it now; one that dies is started again until it is ended. */
export class MemberProcess {
  readonly name: string;
  readonly links: Links;
  readonly #config: MemberConfig;
  #child: ChildProcess | undefined;
  #sinceMs: number | undefined;
  #number = 0;
  /** Whether its end was asked for. */
  #ending = false;
  /** The times its process ended although nobody asked for it, each as a sentence. */
  readonly deaths: string[] = [];
  readonly #waiting = new Map<number, (answer: Answer) => void>();

  constructor(name: string, links: Links, config: MemberConfig) {
    this.name = name;
    this.links = links;
    this.#config = config;
  }

  get role(): MemberConfig['role'] {
    return this.#config.role;
  }

  /** Since when its process works; `undefined` while there is none, or one that still starts. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  /** Starts a process and waits until it works; one that ends at its start, for example without a database, is tried again. */
  async start(signal: AbortSignal): Promise<void> {
    // The end of the process before is told late where the machine is busy, and is not this one's.
    const before = this.#child;
    if (this.#ending && before && before.exitCode === null && before.signalCode === null)
      await once(before, 'exit');
    while (!signal.aborted) {
      this.#ending = false;
      const child = fork(fileURLToPath(new URL('../dist/member.js', import.meta.url)), [], {
        env: { ...process.env, CHAOS_MEMBER: JSON.stringify(this.#config) },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      this.#child = child;
      const ended = once(child, 'exit').then(() => 'ended' as const);
      child.on('message', (message: unknown) => {
        if (message !== 'ready') this.#answered(message as Answer);
      });
      child.on('exit', (code, name) => {
        const worked = this.#sinceMs !== undefined;
        this.#lost();
        if (!worked || this.#ending || signal.aborted) return;
        this.deaths.push(`${this.name} ended by itself with ${name ?? String(code)}`);
        void this.start(signal);
      });
      const ready = new Promise<'ready'>((resolve) => {
        child.on('message', (message: unknown) => {
          if (message === 'ready') resolve('ready');
        });
      });
      if ((await Promise.race([ready, ended])) === 'ready') {
        this.#sinceMs = performance.now();
        return;
      }
    }
  }

  kill(): void {
    this.#ending = true;
    this.#child?.kill('SIGKILL');
  }

  /** Has it end in order. */
  async end(): Promise<void> {
    const child = this.#child;
    this.#ending = true;
    if (!child?.kill('SIGTERM')) return;
    await once(child, 'exit');
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** @throws MemberError `GONE` when the process ends before it has answered, `HUNG` when it does not, or the code of its refusal */
  async ask(request: Request, { key = '', tenant = tenants[0] }: Asking = {}): Promise<unknown> {
    const child = this.#child;
    if (!child?.connected) throw new MemberError('GONE', 'The process is gone.');
    const number = ++this.#number;
    const sent: SentRequest = { number, key, tenant, request };
    const answer = await new Promise<Answer>((resolve) => {
      const late = setTimeout(() => {
        const message = `${this.name} did not answer within ${String(answerMs)} ms: ${JSON.stringify(request)}`;
        this.#answered({ number, ok: false, code: 'HUNG', message });
      }, answerMs);
      this.#waiting.set(number, (answer) => {
        clearTimeout(late);
        resolve(answer);
      });
      child.send(sent, (error) => {
        if (error) this.#answered({ number, ok: false, code: 'GONE', message: error.message });
      });
    });
    if (answer.ok) return answer.result;
    throw new MemberError(answer.code, answer.message);
  }

  #answered(answer: Answer): void {
    this.#waiting.get(answer.number)?.(answer);
    this.#waiting.delete(answer.number);
  }

  #lost(): void {
    this.#sinceMs = undefined;
    for (const number of [...this.#waiting.keys()])
      this.#answered({ number, ok: false, code: 'GONE', message: 'The process ended.' });
  }
}
