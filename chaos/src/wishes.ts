import { setTimeout as sleep } from 'node:timers/promises';
import { type Asking, type MemberProcess, MemberError } from './member-process.js';
import { type Request, type Tenant, tenants } from './member-protocol.js';
import type { Operation } from './schedule.js';

/** What the user of the fleet wants of one instance. */
export interface Wish {
  readonly name: string;
  readonly id: string;
  readonly tenant: Tenant;
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
  readonly #underWay = new Set<Promise<void>>();
  /** Resolves when something may be asked again. */
  #pause: Promise<void> = Promise.resolve();
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

  /** Has nothing asked any more until the function is called that it resolves with, when everything is answered. */
  async pause(): Promise<() => void> {
    let goOn = (): void => undefined;
    this.#pause = new Promise((resolve) => {
      goOn = resolve;
    });
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
    return goOn;
  }

  /** What is wished now. */
  remember(): ReadonlyMap<string, Wish> {
    return new Map(this.#wishes);
  }

  /** From now on that is wished which was remembered, and nothing of what came later. */
  recall(remembered: ReadonlyMap<string, Wish>): void {
    this.#wishes.clear();
    for (const [name, wish] of remembered) this.#wishes.set(name, wish);
  }

  async #perform(operation: Operation, key: string): Promise<void> {
    await this.#pause;
    const asking = this.#ask(operation, key).finally(() => {
      this.#underWay.delete(asking);
    });
    this.#underWay.add(asking);
    await asking;
  }

  async #ask(asked: Operation, key: string): Promise<void> {
    const known = this.#wishes.get(asked.name);
    const operation = possible(asked, known);
    if (operation === undefined) return;
    try {
      const tenant = known?.tenant ?? (operation.kind === 'create' ? operation.tenant : tenants[0]);
      const result = await this.#insist(requestOf(operation, known?.id ?? ''), { key, tenant });
      this.accepted += 1;
      const id = known?.id ?? String(result);
      const state = operation.kind === 'update' ? (known?.state ?? 'running') : wanted[operation.kind];
      this.#wishes.set(operation.name, { name: operation.name, id, tenant, state });
    } catch (error) {
      this.refused.push(`${operation.kind} ${operation.name}: ${String(error)}`);
    }
  }

  async #insist(request: Request, asking: Asking): Promise<unknown> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      try {
        return await this.#api.ask(request, asking);
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

/** What can be asked of it as it is now, which may be as it was before what the schedule knows. */
function possible(operation: Operation, known: Wish | undefined): Operation | undefined {
  if (operation.kind === 'create') return operation;
  if (known === undefined || known.state === 'deleted') return undefined;
  return operation.kind === 'restart' && known.state === 'stopped'
    ? { ...operation, kind: 'start' }
    : operation;
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
