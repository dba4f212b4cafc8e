import type { Fault, FaultKind } from './fault-schedule.js';
import type { Fleet } from './fleet.js';
import { freezeServer } from './frozen-server.js';
import { frozen } from './killing.js';
import type { Links } from './links.js';
import { emptied, published, restored, withoutTail } from './losses.js';
import type { MemberProcess } from './member-process.js';
import type { Damage, Outage, Outages, Part } from './outages.js';
import type { ProxyMode } from './proxy/fault-proxy.js';
import { setReadOnly } from './read-only.js';
import type { Wishes } from './wishes.js';

/** Makes the faults that no kill makes, and heals each; what is broken already is left alone. */
export class Faulting {
  readonly #fleet: Fleet;
  readonly #outages: Outages;
  readonly #wishes: Wishes;
  /** Servers that were called healthy although they answered nothing, each as a sentence. */
  readonly wronglyHealthy: string[] = [];

  constructor(fleet: Fleet, wishes: Wishes, outages: Outages) {
    this.#fleet = fleet;
    this.#wishes = wishes;
    this.#outages = outages;
  }

  begin({ kind, which, forMs }: Fault): void {
    const { members, postgres, redis } = this.#fleet;
    const met = which === null ? members : members.filter((_, n) => n === which % members.length);
    const [one] = met;
    switch (kind) {
      case 'postgres-readonly':
        this.#outages.begin(kind, postgres, {
          outage: outageOf('store', met, 'read-only'),
          forMs,
          harm: () => setReadOnly(postgres.url, true),
          mend: () => setReadOnly(postgres.url, false),
        });
        return;
      case 'pool-held':
        if (one) this.#outages.begin(kind, `the pool of ${one.name}`, heldPool(one, forMs));
        return;
      case 'process-frozen':
        if (one) this.#outages.begin(kind, one, frozen(one, forMs));
        return;
      case 'server-frozen':
        this.#outages.follow(
          freezeServer(this.#fleet, this.#outages, { which: which ?? 0, forMs }).then((wrong) => {
            this.wronglyHealthy.push(...wrong);
          }),
        );
        return;
      case 'redis-emptied':
        this.#outages.begin(kind, redis, emptied(this.#fleet));
        return;
      case 'redis-behind':
        this.#outages.begin(kind, redis, withoutTail(this.#fleet, forMs));
        return;
      case 'postgres-published':
        this.#outages.begin(kind, postgres, published(this.#fleet, forMs));
        return;
      case 'postgres-restored':
        this.#outages.begin(kind, postgres, restored(this.#fleet, this.#wishes, forMs));
        return;
      case 'postgres-frozen':
      case 'postgres-refusing':
      case 'redis-frozen':
      case 'redis-refusing':
      case 'redis-resetting':
      case 'docker-frozen':
      case 'docker-refusing':
      case 'docker-silent':
        this.#breakLinks(kind, met, forMs);
    }
  }

  #breakLinks(kind: LinkFault, members: readonly MemberProcess[], forMs: number): void {
    const { to, of, mode } = linkFaults[kind];
    const become = async (next: ProxyMode | 'silent'): Promise<void> => {
      for (const { links } of members) {
        if (next === 'silent') links[to].silence();
        else await links[to].become(next);
        if (next === 'open') links[to].endSilence();
      }
    };
    const { redis, postgres, engine } = this.#fleet;
    // One thing at a time is wrong with a service, wherever on the way to it.
    this.#outages.begin(kind, { redis, postgres, docker: engine }[to], {
      // Silence is no fault that anybody could see: what was not heard is found by the next comparison of everything.
      outage: mode === 'silent' ? undefined : outageOf(of, members, mode),
      forMs,
      harm: () => become(mode),
      mend: () => become('open'),
    });
  }
}

type LinkFault = keyof typeof linkFaults;

const linkFaults = {
  'postgres-frozen': { to: 'postgres', of: 'store', mode: 'frozen' },
  'postgres-refusing': { to: 'postgres', of: 'store', mode: 'refusing' },
  'redis-frozen': { to: 'redis', of: 'event-bus', mode: 'frozen' },
  'redis-refusing': { to: 'redis', of: 'event-bus', mode: 'refusing' },
  'redis-resetting': { to: 'redis', of: 'event-bus', mode: 'resetting' },
  'docker-frozen': { to: 'docker', of: 'provider:docker', mode: 'frozen' },
  'docker-refusing': { to: 'docker', of: 'provider:docker', mode: 'refusing' },
  'docker-silent': { to: 'docker', of: 'provider:docker', mode: 'silent' },
} as const satisfies Partial<
  Record<FaultKind, { readonly to: keyof Links; readonly of: Part; readonly mode: ProxyMode | 'silent' }>
>;

/** The host takes all connections of its pool. */
function heldPool(member: MemberProcess, forMs: number): Damage {
  let held: Promise<unknown> | undefined;
  return {
    outage: outageOf('pool', [member], 'held by the host'),
    forMs,
    harm: async () => {
      // A process that ends gives back what it held.
      held = member.ask({ ask: 'hold-pool', forMs }).catch(() => undefined);
    },
    mend: async () => {
      await held;
    },
  };
}

function outageOf(
  of: Outage['of'],
  members: readonly MemberProcess[],
  how: string,
): Pick<Outage, 'of' | 'members' | 'how'> {
  return { of, members: members.map(({ name }) => name), how };
}
