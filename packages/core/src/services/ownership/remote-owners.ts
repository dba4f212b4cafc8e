import type { ErrorCode } from '../../domain/errors/error-codes.js';
import { MCPInfraError, mcpError } from '../../domain/errors/mcpinfra-error.js';
import type { Copy, InstanceRecord } from '../../domain/instance/instance-record.js';
import type { CallOptions } from '../../ports/common.js';
import type { PeerLink } from '../../ports/peer-link.js';
import type { Dialed, LogLine, LogQuery } from '../../ports/provider.js';
import { LeaseView } from './lease-view.js';
import type { ServiceContext } from '../context/service-context.js';
import { isAborted } from '../../async/abort.js';
import { sleep } from '../../async/sleep.js';

/** An owner that stops gives its leases back, and the next one has taken them within a renewal. */
const handOver = Object.freeze({ firstWaitMs: 100, longestMs: 7_000 });

/** What says that the instance may have another owner by now, or soon. */
const mayHaveMoved: readonly ErrorCode[] = [
  'NOT_OWNER',
  'PLACEMENT_UNREACHABLE',
  'CONNECTION_REFUSED',
  'CONNECTION_CLOSED',
  'REQUEST_TIMEOUT',
];

/** Reaches what other processes own: finds the owner of an instance by its lease and asks there. */
export class RemoteOwners {
  readonly #context: ServiceContext;
  readonly #peer: () => PeerLink | undefined;
  readonly #leases: LeaseView;

  constructor(
    context: ServiceContext,
    peer: () => PeerLink | undefined,
    leases: LeaseView = new LeaseView(context),
  ) {
    this.#context = context;
    this.#peer = peer;
    this.#leases = leases;
  }

  /** Whether a process is known to own an instance: not one that may have died with its leases, nor nobody at all. */
  async hasOwner(record: InstanceRecord): Promise<boolean> {
    const lease = await this.#leases.ofOther(record);
    // Whether one that listens still lives is found out by asking it.
    return (
      lease !== null && ((lease.address !== null && this.#peer() !== undefined) || this.#leases.renews(lease))
    );
  }

  /** Opens a way to a copy's standard streams through its owner. @throws `NOT_OWNER` and as {@link PeerLink.openChannel} */
  async dial(record: InstanceRecord, { revision }: Copy, options: CallOptions = {}): Promise<Dialed> {
    const channel = await this.#atOwner(record, options, (peer, address) =>
      peer.openChannel(address, { instanceId: record.id, revision }, options),
    );
    return { kind: 'stdio', channel };
  }

  /** Reads a copy's logs at its owner. @throws as `dial` */
  async logs(
    record: InstanceRecord,
    query: LogQuery,
    options: CallOptions = {},
  ): Promise<AsyncIterable<LogLine>> {
    return this.#atOwner(record, options, (peer, address) =>
      peer.openLogs(address, { instanceId: record.id, query }, options),
    );
  }

  /** Asks the owner, and for a while whoever is it next. What was asked for has not been done when this rejects. */
  async #atOwner<T>(
    record: InstanceRecord,
    { signal = new AbortController().signal }: CallOptions,
    ask: (peer: PeerLink, address: string) => Promise<T>,
  ): Promise<T> {
    const peer = this.#peer();
    if (!peer) {
      if ((await this.#leases.ofOther(record)) === null) throw noOwner(record);
      const how =
        'To reach it from here, give this process and the workers createMCPInfra({ peer: { key } }) with the same key, and the workers peer.listen, too';
      throw notOwner(record, `${how}.`);
    }
    const { clock } = this.#context;
    const untilMs = clock.monotonicMs() + handOver.longestMs;
    for (let waitMs = handOver.firstWaitMs; ; waitMs *= 2) {
      try {
        return await ask(peer, await this.#addressOf(record));
      } catch (error) {
        this.#leases.forget();
        const again = MCPInfraError.isInstance(error) && error.retryable && mayHaveMoved.includes(error.code);
        if (!again || isAborted(signal) || clock.monotonicMs() + waitMs > untilMs) throw error;
      }
      await sleep(clock, waitMs, signal);
    }
  }

  async #addressOf(record: InstanceRecord): Promise<string> {
    const owner = await this.#leases.ofOther(record);
    if (!owner) throw noOwner(record);
    if (owner.address !== null) return owner.address;
    throw notOwner(record, `That process (${owner.holderId}) does not listen: give it peer.listen.`, false);
  }
}

function noOwner({ name, runtime: { placement } }: InstanceRecord): MCPInfraError {
  return mcpError(
    'PLACEMENT_UNREACHABLE',
    `No worker owns the instance "${name}" at the moment: none that reaches ${placement ?? 'its placement'} has its lease.`,
  );
}

function notOwner(record: InstanceRecord, how: string, retryable = true): MCPInfraError {
  const what = `The instance "${record.name}" runs under another process, which alone opens its streams and logs.`;
  return mcpError('NOT_OWNER', `${what} ${how}`, { retryable });
}
