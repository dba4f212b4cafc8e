import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../free-port.js';
import { eventually } from './eventually.js';
import { programPath } from './find-program.js';
import { end, gone, identify, isRunning, type ProcessIdentity, signal } from './process-identity.js';
import { ServiceUnavailable } from './service-unavailable.js';
import { createRoot, removeRoot, sweepAbandoned } from './throwaway-root.js';

/** What a database server is started with, in a folder and on a loopback port of its own. */
export interface DatabaseProgram {
  /** The word in its folder's name. */
  readonly kind: string;
  /** The user it runs as; its own when undefined. */
  readonly account: Account | undefined;
  /** The signal that ends it at once and in order. */
  readonly endSignal: NodeJS.Signals;
  /** Makes the data in the folder, before the first start. */
  readonly prepare?: (root: string) => Promise<void>;
  readonly command: (root: string, port: number) => readonly [string, ...string[]];
  /** Whether it serves on the port by now. */
  readonly isReady: (port: number) => Promise<boolean>;
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** One server of a test, with its data. */
export class DatabaseProcess {
  /** The folder of all its data. */
  readonly root: string;
  readonly port: number;
  readonly #program: DatabaseProgram;
  #process: ProcessIdentity | undefined;

  static async start(program: DatabaseProgram): Promise<DatabaseProcess> {
    await sweepAbandoned(program.kind, destroy);
    const root = await createRoot(program.kind, undefined);
    try {
      if (program.account) await chown(root, program.account.uid, program.account.gid);
      await program.prepare?.(root);
      const server = new DatabaseProcess(program, root, await freePort());
      await server.#launch();
      return server;
    } catch (cause) {
      await destroy(root);
      throw new ServiceUnavailable(program.kind, String(cause), { cause });
    }
  }

  private constructor(program: DatabaseProgram, root: string, port: number) {
    this.#program = program;
    this.root = root;
    this.port = port;
  }

  /** The pid of the server; undefined while it does not run. */
  get pid(): number | undefined {
    return this.#process && isRunning(this.#process) ? this.#process.pid : undefined;
  }

  /** Ends it with SIGKILL. */
  async kill(): Promise<void> {
    if (this.#process === undefined) return;
    signal(this.#process, 'SIGKILL');
    await gone(this.#process, 5_000);
  }

  /** Starts it again on the same port and data; one that runs is asked to end first. */
  async restart(): Promise<void> {
    if (this.#process) await end(this.#process, this.#program.endSignal, 10_000);
    // What a killed server has left behind may keep the next one from its memory or port for a moment.
    const deadline = performance.now() + 15_000;
    for (;;) {
      try {
        await this.#launch();
        return;
      } catch (cause) {
        if (performance.now() > deadline) throw cause;
        await sleep(100);
      }
    }
  }

  /** Ends it, and removes its data. */
  async stop(): Promise<void> {
    if (this.#process) await end(this.#process, this.#program.endSignal, 10_000);
    await destroy(this.root);
  }

  async #launch(): Promise<void> {
    const [program, ...argv] = this.#program.command(this.root, this.port);
    const log = await open(join(this.root, 'server.log'), 'a');
    const child = spawn(program, argv, {
      ...this.#program.account,
      cwd: this.root,
      detached: true,
      env: { PATH: programPath(), LC_ALL: 'C' },
      stdio: ['ignore', log.fd, log.fd],
    });
    await log.close();
    const ended = once(child, 'exit').then(async () => {
      throw new Error(
        `it ended at its start:\n${(await readFile(join(this.root, 'server.log'), 'utf8')).slice(-2_000)}`,
      );
    });
    ended.catch(() => {});
    this.#process = child.pid === undefined ? undefined : identify(child.pid);
    await writeFile(processFile(this.root), JSON.stringify(this.#process ?? null));
    await Promise.race([
      eventually(`${program} to serve`, 30_000, async () => this.#program.isReady(this.port)),
      ended,
    ]);
    child.unref();
  }
}

/** Ends the server of a folder, whoever started it, and removes the folder. */
async function destroy(root: string): Promise<void> {
  const text = await readFile(processFile(root), 'utf8').catch(() => 'null');
  const process = JSON.parse(text) as ProcessIdentity | null;
  if (process !== null) await end(process, 'SIGKILL', 5_000);
  await removeRoot(root);
}

function processFile(root: string): string {
  return join(root, 'process.json');
}
