//#region document
import { access } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { createScrubber, KeyedTurns, mcpError, orAborted, revealText, Secret } from '@mcpinfra/core/plugin';
import type {
  CopyRef,
  ExitRecord,
  Observation,
  Provider,
  ProviderContext,
  RunRequest,
} from '@mcpinfra/core/plugin';
import * as z from 'zod';

/** An MCP server that is a JavaScript module and speaks over stdio. */
export type ModuleSpec = z.infer<typeof moduleSpec>;

const moduleSpec = z.strictObject({
  type: z.literal('module'),
  module: z.string().min(1),
  args: z.array(z.string()).readonly().optional(),
  // Core reads the fields that every type shares; a provider lists those it takes. See JsonSpec for the others.
  environment: z.record(z.string(), z.string()).optional(),
  lifecycle: z.strictObject({ stop_grace: z.number().positive().optional() }).optional(),
});
//#endregion

//#region open
/** Runs MCP servers as worker threads of this process: they start fast and are trusted as the host itself is. */
export function moduleProvider(): Provider<ModuleSpec> {
  const threads = new Map<string, Thread>();
  const watchers = new Set<(copy: CopyRef) => void>();
  const turns = new KeyedTurns();
  let context: ProviderContext | undefined;

  const opened = (): ProviderContext => {
    if (context) return context;
    throw mcpError('NOT_STARTED', 'Expected open() before this call to the module provider.');
  };

  return {
    specificationVersion: 'v1',
    type: 'module',
    specSchema: moduleSpec,
    copiesEndWithProcess: true,
    placement: async () => `threads:${hostname()}`,
    async open(given) {
      context = given;
    },
    //#endregion

    //#region start
    ensureRunning: (request, options) =>
      turns.take(keyOf(request.copy), options?.signal, async () => {
        opened();
        const known = threads.get(keyOf(request.copy));
        if (known?.seen.state === 'running') return known.seen;
        const { copy, spec } = request;
        await access(spec.module).catch((cause: unknown) => {
          throw mcpError('COMMAND_NOT_FOUND', `There is no module ${spec.module}; correct it.`, { cause });
        });
        // A restart asks no secret backend.
        const variables = known?.variables ?? (await orAborted(request.environment(), options?.signal));
        // Whoever closed it meanwhile wants nothing started.
        opened();
        const thread = startThread(copy, spec, variables);
        threads.set(keyOf(copy), thread);
        void thread.ended.then((exit) => {
          thread.seen = { state: 'exited', exit };
          for (const tell of watchers) tell(copy);
        });
        return thread.seen;
      }),
    //#endregion

    //#region end
    ensureStopped: (copy, { graceMs }, options) =>
      turns.take(keyOf(copy), options?.signal, () => stop(threads.get(keyOf(copy)), graceMs)),

    destroy: (copy, { graceMs }, options) =>
      turns.take(keyOf(copy), options?.signal, async () => {
        await stop(threads.get(keyOf(copy)), graceMs);
        threads.delete(keyOf(copy));
      }),

    async close() {
      context = undefined;
      await Promise.all([...threads.values()].map((thread) => stop(thread, 0)));
      threads.clear();
    },
    //#endregion

    //#region see
    observe: async (copy) => threads.get(keyOf(copy))?.seen ?? { state: 'absent' },

    async list() {
      const { storeId } = opened();
      return [...threads.values()].map(({ copy, createdAt, seen }) => {
        return { copy, storeId, createdAt, state: seen.state };
      });
    },

    watch(listener) {
      watchers.add(listener);
      return () => void watchers.delete(listener);
    },
    //#endregion

    //#region dial
    async dial({ copy }) {
      const { worker, seen } = threads.get(keyOf(copy)) ?? {};
      if (!worker?.stdin || seen?.state !== 'running') {
        throw mcpError('INSTANCE_NOT_READY', `The module of ${copy.slug} does not run; start it first.`);
      }
      const { stdin, stdout } = worker;
      const [input, output] = [new PassThrough(), new PassThrough()];
      input.pipe(stdin, { end: false });
      stdout.pipe(output);
      const close = (): void => {
        input.unpipe(stdin).destroy();
        // What is written while nobody listens is dropped: it must not block the server.
        stdout.unpipe(output.end()).resume();
      };
      return { kind: 'stdio', channel: { input, output, close } };
    },
    //#endregion
  };
}

//#region thread
const keyOf = ({ instanceId, revision }: CopyRef): string => `${instanceId}/${revision}`;

type Thread = ReturnType<typeof startThread>;
type Seen = Exclude<Observation, { state: 'absent' }>;
type Variables = Awaited<ReturnType<RunRequest['environment']>>;

/** Makes a copy: a module in a thread of its own, and what is seen of it. */
function startThread(copy: CopyRef, { module, args = [] }: ModuleSpec, variables: Variables) {
  const env = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, revealText(value)]));
  const streams = { stdin: true, stdout: true, stderr: true };
  const worker = new Worker(resolve(module), { argv: [...args], env, ...streams });
  // A client may write to a server that is ending; unheard, that error would end the host.
  worker.stdin?.on('error', () => undefined);
  const createdAt = new Date().toISOString();
  const seen = { state: 'running', startedAt: createdAt, endpoint: { transport: 'stdio' } } as Seen;
  return { copy, variables, createdAt, worker, ended: exitOf(worker, variables), seen };
}

/** Asks a server to end by ending its input, and ends its thread when it has not after the grace. */
async function stop(thread: Thread | undefined, graceMs: number): Promise<void> {
  thread?.worker.stdin?.end();
  const timer = setTimeout(() => void thread?.worker.terminate(), graceMs);
  await thread?.ended;
  clearTimeout(timer);
}
//#endregion

//#region exit
/** Waits for the end of a thread, and keeps the last lines it wrote. */
async function exitOf(worker: Worker, variables: Variables): Promise<ExitRecord> {
  const secrets = Object.values(variables).filter((value) => value instanceof Secret);
  const scrub = createScrubber(secrets.map((secret) => secret.reveal()));
  const lastLogLines: string[] = [];
  const keep = (line: string): void => {
    if (lastLogLines.push(scrub(line)) > 20) lastLogLines.shift();
  };
  let oomKilled = false;
  worker.on('error', (error: NodeJS.ErrnoException) => {
    oomKilled = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    keep(String(error));
  });
  const exited = new Promise<number>((done) => worker.once('exit', done));
  for await (const line of createInterface({ input: worker.stderr })) keep(line);
  const exitCode = await exited;
  return { at: new Date().toISOString(), exitCode, signal: null, oomKilled, lastLogLines };
}
//#endregion
