import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect, onTestFinished } from 'vitest';
import { eventually } from './eventually.js';

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One server under test: its process, all it wrote, and the end of it at the end of the test. */
export class ServerProcess {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly lines: string[] = [];
  stderr = '';
  readonly #child: ChildProcessWithoutNullStreams;

  constructor(script: string, argv: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    const child = spawn(process.execPath, [script, ...argv], {
      env: { PATH: process.env['PATH'], ...environment },
    });
    this.#child = child;
    this.pid = child.pid!;
    this.exited = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(line));
    // A server that is gone takes no more of what the test writes.
    child.stdin.on('error', () => {});
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await this.exited;
    });
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The messages among what the server wrote to stdout. */
  get messages(): readonly unknown[] {
    return this.lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as unknown];
      } catch {
        return [];
      }
    });
  }

  write(...messages: readonly object[]): void {
    for (const message of messages)
      this.#child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  closeStdin(): void {
    this.#child.stdin.end();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for the line that says where the server listens. */
  async url(): Promise<string> {
    const listening = /^listening (\S+)$/m;
    await expect.poll(() => this.stderr, eventually).toMatch(listening);
    return listening.exec(this.stderr)![1]!;
  }

  /** Waits for a message that has these properties. */
  async message(expected: object): Promise<void> {
    await expect.poll(() => this.messages, eventually).toContainEqual(expect.objectContaining(expected));
  }
}
