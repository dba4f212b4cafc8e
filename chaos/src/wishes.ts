import { setTimeout as sleep } from 'node:timers/promises';
import { type MemberProcess, MemberError } from './member-process.js';
import type { Request } from './member-protocol.js';
import type { Operation } from './schedule.js';

/** What the user of the fleet wants of one instance. */
export interface Wish {
  readonly name: string;
  readonly id: string;
  readonly state: 'running' | 'stopped' | 'deleted';
}

/** What an instance is wanted to be after an operation. */
const wanted = {
  create: 'running',
  start: 'running',
  restart: 'running',
  stop: 'stopped',
  delete: 'deleted',
} as const;

/** So long an operation is repeated when the API process or its database is away. */
const patienceMs = 90_000;

/**
 * The user of the fleet: asks the API process, again with the same key when it got no answer, and knows what must be true
 * in the end. Operations on one instance follow one another.
 */
export class Wishes {
  readonly #api: MemberProcess;
  readonly #wishes = new Map<string, Wish>();
  readonly #turns = new Map<string, Promise<void>>();
  /** Operations that were refused although nothing was wrong with them. */
  readonly refused: string[] = [];
  /** Operations that were accepted. */
  accepted = 0;

  constructor(api: MemberProcess) {
    this.#api = api;
  }

  get all(): readonly Wish[] {
    return [...this.#wishes.values()];
  }

  /** Begins an operation once the one before it on the same instance has ended. */
  begin(operation: Operation, key: string): void {
    const before = this.#turns.get(operation.name) ?? Promise.resolve();
    this.#turns.set(
      operation.name,
      before.then(() => this.#perform(operation, key)),
    );
  }

  /** Resolves when every operation has been accepted or refused. */
  async settled(): Promise<void> {
    await Promise.all(this.#turns.values());
  }

  async #perform(operation: Operation, key: string): Promise<void> {
    const known = this.#wishes.get(operation.name);
    try {
      const result = await this.#insist(requestOf(operation, known?.id ?? ''), key);
      this.accepted += 1;
      const id = known?.id ?? String(result);
      const state = operation.kind === 'update' ? (known?.state ?? 'running') : wanted[operation.kind];
      this.#wishes.set(operation.name, { name: operation.name, id, state });
    } catch (error) {
      this.refused.push(`${operation.kind} ${operation.name}: ${String(error)}`);
    }
  }

  async #insist(request: Request, key: string): Promise<unknown> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      try {
        return await this.#api.ask(request, key);
      } catch (error) {
        if (!(error instanceof MemberError)) throw error;
        // It was done the first time, but nobody lived to say so.
        if (request.ask === 'delete' && error.code === 'NOT_FOUND') return null;
        if (!mayPass.has(error.code) || performance.now() > deadline) throw error;
        await sleep(100);
      }
    }
  }
}

/** The refusals that pass when what was killed is back. */
const mayPass: ReadonlySet<string> = new Set([
  'GONE',
  'STORE_FAILED',
  'PLUGIN_TIMEOUT',
  'NOT_STARTED',
  'CONFLICT',
]);

function requestOf(operation: Operation, id: string): Request {
  switch (operation.kind) {
    case 'create':
      return { ask: 'create', name: operation.name, transport: operation.transport };
    case 'update':
      return { ask: 'update', id, value: operation.value };
    case 'stop':
    case 'start':
    case 'restart':
    case 'delete':
      return { ask: operation.kind, id };
  }
}
