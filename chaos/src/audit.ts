import { setTimeout as sleep } from 'node:timers/promises';
import type { Event } from '@mcpinfra/core';
import type { Store } from '@mcpinfra/core/plugin';
import { postgresStore } from '@mcpinfra/store-postgres';
import Docker from 'dockerode';
import { unpairedConditions } from './conditions.js';
import { overheard, readLog, unhandled } from './event-log.js';
import type { Fleet } from './fleet.js';
import { MemberError, type MemberProcess } from './member-process.js';
import { type ListedInstance, type Tenant, tenants, type ToldHealth } from './member-protocol.js';
import type { Wish } from './wishes.js';

/** What is not as it should be, each as a sentence, and what the log says. */
export interface Findings {
  readonly lostInstances: readonly string[];
  readonly lostEvents: readonly string[];
  readonly leftover: readonly string[];
  readonly stuck: readonly string[];
  /** What one tenant saw or heard of another. */
  readonly overheard: readonly string[];
  readonly duplicates: readonly string[];
  readonly unhealthy: readonly string[];
  readonly conditionsUnpaired: readonly string[];
  /** All of the log. */
  readonly events: readonly Event[];
}

/** So long after all works again it may take until the log says so. */
const longestUntoldMs = 45_000;

/** Looks until everything is as it was wished, or the time is up. */
export async function audit(fleet: Fleet, wishes: readonly Wish[], longestMs: number): Promise<Findings> {
  const store = postgresStore({ connectionString: fleet.postgres.url });
  await store.open();
  try {
    const deadline = performance.now() + longestMs;
    const toldBy = performance.now() + longestUntoldMs;
    for (;;) {
      const { conditionsUnpaired, events, ...findings } = await tryToLook(fleet, wishes, store);
      const isClean = Object.values(findings).every((found: readonly string[]) => found.length === 0);
      // Most of these never change again.
      const isTold = conditionsUnpaired.length === 0 || performance.now() > toldBy;
      if ((isClean && isTold) || performance.now() > deadline)
        return { ...findings, conditionsUnpaired, events };
      await sleep(1_000);
    }
  } finally {
    await store.close();
  }
}

/** A process that cannot be asked now may be there again when it is asked once more. */
async function tryToLook(fleet: Fleet, wishes: readonly Wish[], store: Store): Promise<Findings> {
  try {
    return await look(fleet, wishes, store);
  } catch (error) {
    const nothing = {
      lostInstances: [],
      lostEvents: [],
      leftover: [],
      duplicates: [],
      unhealthy: [],
      overheard: [],
    };
    return {
      ...nothing,
      conditionsUnpaired: [],
      events: [],
      stuck: [`nothing could be seen: ${String(error)}`],
    };
  }
}

async function look(fleet: Fleet, wishes: readonly Wish[], store: Store): Promise<Findings> {
  const lists = await Promise.all(
    tenants.map(async (tenant) => {
      const listed = (await fleet.api.ask({ ask: 'list' }, { tenant })) as readonly ListedInstance[];
      return listed.map((instance) => ({ ...instance, tenant }));
    }),
  );
  const listed = lists.flat();
  const byId = new Map(listed.map((instance) => [instance.id, instance]));
  const wanted = wishes.filter(({ state }) => state !== 'deleted');
  const unwanted = listed.filter(({ id }) => !wanted.some((wish) => wish.id === id));
  const stuck = await Promise.all(wanted.map((wish) => whyStuck(fleet, wish, byId.get(wish.id))));
  const reached = await Promise.all(wanted.map((wish) => whyReached(fleet, wish)));
  const log = await readLog(store);
  const unhealthy = await Promise.all(fleet.members.map((member) => whyUnhealthy(member)));
  return {
    lostInstances: wanted.filter(({ id }) => !byId.has(id)).map(({ name }) => `${name} is gone`),
    lostEvents: [...log.gaps, ...unhandled(fleet.handledFile, log.events)],
    overheard: [
      ...overheard(fleet.handledFile),
      ...foreign(listed, wishes),
      ...reached.filter((how) => how !== null),
    ],
    conditionsUnpaired: unpairedConditions(log.events),
    events: log.events,
    unhealthy: unhealthy.filter((why) => why !== null),
    stuck: [
      ...stuck.filter((why) => why !== null),
      ...unwanted.map(({ name, status }) => `${name} is deleted, but still ${status}`),
    ],
    ...(await remains(fleet, wanted)),
  };
}

async function whyStuck(
  fleet: Fleet,
  wish: Wish,
  listed: ListedInstance | undefined,
): Promise<string | null> {
  if (!listed) return null;
  const { name, status, reason, message, settled } = listed;
  if (status !== wish.state || !settled)
    return `${name} is to be ${wish.state}, but ${status} ${reason} ${message}`;
  if (wish.state !== 'running') return null;
  try {
    if ((await fleet.api.ask({ ask: 'call', id: wish.id }, { tenant: wish.tenant })) === true) return null;
    return `${name} answers something else`;
  } catch (error) {
    return `${name} does not answer: ${String(error)}`;
  }
}

/** Instances that a tenant is shown though they are another's. */
function foreign(
  listed: readonly { readonly id: string; readonly name: string; readonly tenant: Tenant }[],
  wishes: readonly Wish[],
): readonly string[] {
  const owners = new Map(wishes.map(({ id, tenant }) => [id, tenant]));
  return listed
    .filter(({ id, tenant }) => (owners.get(id) ?? tenant) !== tenant)
    .map(({ name, tenant }) => `${name} is shown to tenant '${tenant}'`);
}

/** How another tenant than its own reaches an instance. */
async function whyReached(fleet: Fleet, { id, name, tenant: owner }: Wish): Promise<string | null> {
  const [stranger = owner] = tenants.filter((tenant) => tenant !== owner);
  try {
    await fleet.api.ask({ ask: 'call', id }, { tenant: stranger });
    return `${name} answers tenant '${stranger}'`;
  } catch (error) {
    const isHidden = error instanceof MemberError && error.code === 'NOT_FOUND';
    return isHidden ? null : `${name} is refused to tenant '${stranger}' by ${String(error)}`;
  }
}

/** Why a process whose surroundings all work is not well. */
async function whyUnhealthy(member: MemberProcess): Promise<string | null> {
  try {
    const { status, degraded } = (await member.ask({ ask: 'health' })) as ToldHealth;
    return status === 'ok' ? null : `${member.name} is still ${status}: ${JSON.stringify(degraded)}`;
  } catch (error) {
    return `${member.name} cannot say how it is: ${String(error)}`;
  }
}

async function remains(
  { engine }: Fleet,
  wanted: readonly Wish[],
): Promise<Pick<Findings, 'leftover' | 'duplicates'>> {
  const docker = new Docker({ socketPath: engine.socketPath });
  const filters = { label: ['io.mcpinfra.fleet'] };
  const [containers, networks] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
  ]);
  const running = new Set(wanted.filter(({ state }) => state === 'running').map(({ id }) => id));
  const instanceOf = (labels: Readonly<Record<string, string>> = {}): string =>
    labels['io.mcpinfra.instance'] ?? '';
  const live = containers.filter(({ State: state }) => state === 'running');
  const owned = (id: string): boolean => wanted.some((wish) => wish.id === id);
  const count = (id: string): number => live.filter(({ Labels: labels }) => instanceOf(labels) === id).length;
  return {
    leftover: [
      ...containers
        .filter(({ Labels: labels, State: state }) =>
          state === 'running' ? !running.has(instanceOf(labels)) : !owned(instanceOf(labels)),
        )
        .map(({ Names: names, State: state }) => `container ${names.join()} is ${state}`),
      ...networks
        .filter(({ Labels: labels }) => instanceOf(labels) !== '' && !owned(instanceOf(labels)))
        .map(({ Name: name }) => `network ${name}`),
    ],
    duplicates: wanted
      .filter(({ id }) => count(id) > 1)
      .map(({ name }) => `${name} runs ${String(count(name))} times`),
  };
}
