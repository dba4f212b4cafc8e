import { createHash, randomBytes } from 'node:crypto';
import {
  type ContainerSpec,
  KeyedTurns,
  mcpError,
  resolveTransport,
  sleep,
  systemClock,
} from '@mcpinfra/core/plugin';
import type { NetworkInspectInfo } from 'dockerode';
import { saidBy, statusOf, type Engine } from './engine.js';
import { hostRoutes } from './host-routes.js';
import { copyName, isCopy, labelFilter, labels, ownerLabels, type OwnedRef, type Owner } from './labels.js';
import { formatSubnet, freeSubnets, parseSubnet, type Subnet } from './subnet.js';

// 13 containers beside the gateway; engines run out of addresses after 30 networks of the size they choose.
const ownPrefix = 28;
const sharedPrefix = 24;
// How often a subnet that somebody took meanwhile is replaced by the next.
const attempts = 16;

/** How a container is connected. */
export type Connection =
  | { readonly kind: 'none' }
  /** A network of its own, without a way out unless `open`. */
  | { readonly kind: 'own'; readonly open: boolean }
  /** The network that all containers of the store share which ask for it, without a way out. */
  | { readonly kind: 'shared' };

interface NewNetwork {
  readonly name: string;
  readonly isOpen: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** Tells how a document's container is connected. */
export function connectionOf(spec: ContainerSpec): Connection {
  const egress = spec.network?.egress ?? 'none';
  if (egress === 'internal') return { kind: 'shared' };
  if (egress === 'open') return { kind: 'own', open: true };
  return resolveTransport(spec) === 'stdio' ? { kind: 'none' } : { kind: 'own', open: false };
}

/** The networks of containers: one for each that needs one, with addresses from a pool of ours. */
export class Networks {
  readonly #engine: Engine;
  readonly #pool: Subnet;
  readonly #turns = new KeyedTurns();

  constructor(engine: Engine, pool: Subnet) {
    this.#engine = engine;
    this.#pool = pool;
  }

  /** Gives the network mode for a copy; makes its network unless it is there. @throws `NETWORK_POOL_EXHAUSTED` */
  async connect(owned: OwnedRef, connection: Connection, signal: AbortSignal | undefined): Promise<string> {
    switch (connection.kind) {
      case 'none':
        return 'none';
      case 'own': {
        const all = await this.#list({}, signal);
        const there = all.find((network) => isCopy(network.Labels, owned));
        if (there) return there.Id;
        const network = { name: copyName(owned.copy), isOpen: connection.open, labels: ownerLabels(owned) };
        return this.#create(network, { prefix: ownPrefix, all, signal });
      }
      case 'shared':
        return this.#turns.take('shared', signal, () => this.#shared(owned, signal));
    }
  }

  /** Removes the networks that are a copy's own, but for the one to keep; tells whether there were any. */
  async remove(owned: OwnedRef, signal: AbortSignal | undefined, keptId?: string): Promise<boolean> {
    const own = (await this.#of(owned, signal)).filter(({ Id: id }) => id !== keptId);
    for (const network of own) await this.#remove(network, signal);
    return own.length > 0;
  }

  /** Every network of a fleet. */
  async list(fleet: string, signal: AbortSignal | undefined): Promise<readonly NetworkInspectInfo[]> {
    return this.#list({ [labels.fleet]: fleet }, signal);
  }

  /** Every network of every fleet. */
  async listAll(signal: AbortSignal | undefined): Promise<readonly NetworkInspectInfo[]> {
    const found = await this.#list({}, signal);
    return found.filter((network) => network.Labels?.[labels.fleet] !== undefined);
  }

  /** Removes the shared network of a store once nothing is on it. */
  async removeShared(owner: Owner, signal: AbortSignal | undefined): Promise<void> {
    await this.#turns.take('shared', signal, async () => {
      for (const { Id: id } of await this.#list(sharedLabels(owner), signal)) {
        await this.#engine
          .askMaybe('Removing the shared network', { signal }, (docker, abortSignal) =>
            docker.getNetwork(id).remove({ abortSignal }),
          )
          .catch((error: unknown) => {
            // Others are on it.
            if (statusOf(error) === undefined) throw error;
          });
      }
    });
  }

  async #of(owned: OwnedRef, signal: AbortSignal | undefined): Promise<readonly NetworkInspectInfo[]> {
    const found = await this.#list(ownerLabels(owned), signal);
    return found.filter((network) => isCopy(network.Labels, owned));
  }

  async #list(
    set: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<readonly NetworkInspectInfo[]> {
    return this.#engine.ask('Listing networks', { signal }, (docker, abortSignal) =>
      docker.listNetworks({ filters: { label: labelFilter(set) }, abortSignal }),
    );
  }

  async #shared(owner: Owner, signal: AbortSignal | undefined): Promise<string> {
    const all = await this.#list({}, signal);
    const there = all.filter((network) => isShared(network, owner));
    // Two workers may have made one each at the same time: all use the older.
    const [oldest] = [...there].sort((a, b) => (`${a.Created}${a.Id}` < `${b.Created}${b.Id}` ? -1 : 1));
    if (oldest) return oldest.Id;
    const digest = createHash('sha256').update(`${owner.fleet}\0${owner.storeId}`).digest('hex').slice(0, 12);
    const network = { name: `mcp-shared-${digest}`, isOpen: false, labels: sharedLabels(owner) };
    return this.#create(network, { prefix: sharedPrefix, all, signal });
  }

  async #create(
    network: NewNetwork,
    about: {
      readonly prefix: number;
      /** Every network of the engine. */
      readonly all: readonly NetworkInspectInfo[];
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<string> {
    const { prefix, all, signal } = about;
    const taken = all.flatMap((one) => one.IPAM?.Config ?? []);
    const used = [
      ...(await hostRoutes()),
      ...taken.flatMap(({ Subnet: text = '' }) => parseSubnet(text) ?? []),
    ];
    let left = attempts;
    for (const subnet of freeSubnets(this.#pool, { prefix, begin: Math.random() }, used)) {
      if (left-- === 0) break;
      const id = await this.#createAt(network, formatSubnet(subnet), signal);
      if (id !== undefined) return id;
    }
    const message = `No free /${String(prefix)} network is left in ${formatSubnet(this.#pool)} for ${network.name}; delete what is no longer needed, or set networkPool of dockerProvider to a larger range.`;
    throw mcpError('NETWORK_POOL_EXHAUSTED', message, { details: { pool: formatSubnet(this.#pool) } });
  }

  /** Gives the id, or `undefined` when the subnet is taken. */
  async #createAt(
    network: NewNetwork,
    subnet: string,
    signal: AbortSignal | undefined,
  ): Promise<string | undefined> {
    try {
      return await this.#engine.ask(
        `Making the network ${network.name}`,
        { signal },
        async (docker, abortSignal) => {
          const body = {
            // Engines allow two of one name and then refuse to tell which is meant; ours are found by their labels.
            Name: `${network.name}-${randomBytes(2).toString('hex')}`,
            Internal: !network.isOpen,
            Labels: network.labels,
            Driver: 'bridge',
            IPAM: { Driver: 'default', Config: [{ Subnet: subnet }] },
          };
          const made = await docker.createNetwork({ _query: {}, _body: body, abortSignal } as never);
          return made.id;
        },
      );
    } catch (error) {
      if (/overlap|address space|is already used|already in use/iu.test(saidBy(error))) return undefined;
      throw error;
    }
  }

  async #remove({ Id: id, Name: name }: NetworkInspectInfo, signal: AbortSignal | undefined): Promise<void> {
    for (let left = 10; ; left -= 1) {
      try {
        await this.#engine.askMaybe(`Removing the network ${name}`, { signal }, (docker, abortSignal) =>
          docker.getNetwork(id).remove({ abortSignal }),
        );
        return;
      } catch (error) {
        // The engine may still be taking the container off it.
        if (left === 0 || !/active endpoints|in use/iu.test(saidBy(error))) throw error;
        await sleep(systemClock, 100, signal);
      }
    }
  }
}

function sharedLabels({ fleet, storeId }: Owner): Record<string, string> {
  return { [labels.fleet]: fleet, [labels.store]: storeId, [labels.shared]: 'internal' };
}

function isShared({ Labels: set }: NetworkInspectInfo, owner: Owner): boolean {
  return Object.entries(sharedLabels(owner)).every(([name, value]) => set?.[name] === value);
}
