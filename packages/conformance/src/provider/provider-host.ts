import { fail } from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { CopyRef, Observation } from '@mcpinfra/core/plugin';
import type { Ownership } from './provider-bench.js';
import type { HostModule } from './provider-harness.js';

/** What a hosting process is to start. */
export interface HostedStart {
  readonly module: string;
  readonly options: unknown;
  readonly owner: Ownership;
  readonly document: object;
  readonly copy: CopyRef;
  readonly secret: string;
  /** The variable that the secret is handed over in. */
  readonly variable: string;
}

/** Another process with a provider in it. */
export class ProviderHost {
  readonly #child: ChildProcess;

  constructor() {
    // Built next to whatever chunk this ends in.
    const program = fileURLToPath(new URL('./hosting.js', import.meta.url));
    this.#child = spawn(process.execPath, [program], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  }

  get pid(): number {
    return this.#child.pid ?? fail('The process that is to host the provider did not start.');
  }

  /** Has the process import the module and start a copy through it. */
  async start(host: HostModule, start: Omit<HostedStart, 'module' | 'options'>): Promise<Observation> {
    const module = String(host.module);
    const told = Promise.race([
      once(this.#child, 'message').then(([message]) => message as Told),
      once(this.#child, 'exit').then(([code]) => ({ error: `It exited with ${String(code)}.` })),
    ]);
    this.#child.send({ ...start, module, options: host.options } satisfies HostedStart);
    const { seen, error } = (await told) as Told;
    return seen ?? fail(`Another process could not start a copy by ${module}: ${error ?? 'it said nothing'}`);
  }

  /** Ends the process as a crash would: nothing of it can tidy up. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exit;
  }
}

interface Told {
  readonly seen?: Observation;
  readonly error?: string;
}
