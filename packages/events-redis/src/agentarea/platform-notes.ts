import type { Timestamp } from '@mcpinfra/core/plugin';
import type { Connection } from '../connection/connection.js';
import { writeDeadLetter, type DeadLetter } from './dead-letter.js';

/** A message for a channel. */
export interface Outgoing {
  readonly channel: string;
  readonly payload: string;
}

/** What is told of an instance. */
export interface ToldState {
  readonly instanceId: string;
  /** Told apart from other states by it. */
  readonly text: string;
  readonly ifChanged: boolean;
}

const dayMs = 24 * 3_600_000;
/** As long as a message may wait for a worker: an older one could bring back what was deleted. */
const keptMs = 30 * dayMs;
const longestDeadLetters = 1_000;
const repetitionMs = 60_000;

// In one step, so that neither a repetition nor another worker tells the platform the same thing twice, and what was
// told first is what comes first in the log. ARGV: for how long a name is remembered, then, where an instance's state is
// told, the state, for how long that is remembered, and whether it is told only where it is another one.
const tellOnce = `
if not redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) then return 0 end
if ARGV[2] ~= '' then
  if ARGV[4] == '1' and redis.call('GET', KEYS[2]) == ARGV[2] then return 0 end
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
end
for i = 5, #ARGV, 2 do redis.call('PUBLISH', ARGV[i], ARGV[i + 1]) end
return 1`;

// A deletion that comes late must not take back a newer one.
const bury = `
local known = redis.call('GET', KEYS[1])
if not known or tonumber(known) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
return 0`;

// Every worker hears what comes over a channel, and one entry is enough.
const addOnce = `
if redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', unpack(ARGV, 3))
end
return 0`;

/**
 * What the workers of one fleet know together, beside the store: what was told, what was deleted, what was unreadable.
 *
 * Every method rejects with `EVENT_BUS_FAILED` while Redis is away.
 */
export class PlatformNotes {
  readonly #connection: Connection;
  readonly #prefix: string;

  constructor(connection: Connection, prefix: string) {
    this.#connection = connection;
    this.#prefix = prefix;
  }

  /** Publishes messages in order, unless any worker has done so under the same name, or has told that state last. */
  async tellOnce(name: string, messages: readonly Outgoing[], state?: ToldState): Promise<void> {
    const keys = [`${this.#prefix}:told:${name}`, `${this.#prefix}:state:${state?.instanceId ?? ''}`];
    const texts = messages.flatMap(({ channel, payload }) => [channel, payload]);
    const args = [dayMs, state?.text ?? '', keptMs, state?.ifChanged === true ? '1' : '0', ...texts];
    await this.#connection.call('PUBLISH', (redis) => redis.eval(tellOnce, 2, ...keys, ...args));
  }

  /** Notes that a wish has come true, so that it does not again. */
  async fulfil(eventId: string): Promise<void> {
    await this.#connection.call('SET', (redis) => redis.set(this.#wish(eventId), '1', 'PX', keptMs));
  }

  /** Tells whether a wish has come true before. */
  async isFulfilled(eventId: string): Promise<boolean> {
    return (await this.#connection.call('GET', (redis) => redis.get(this.#wish(eventId)))) !== null;
  }

  /** Notes that the platform deleted an instance, and when by its clock. */
  async bury(instanceId: string, at: Timestamp): Promise<void> {
    const key = this.#grave(instanceId);
    await this.#connection.call('SET', (redis) => redis.eval(bury, 1, key, Date.parse(at), keptMs));
  }

  /** Tells whether the platform deleted an instance at that time of its clock or later. */
  async isBuriedSince(instanceId: string, at: Timestamp): Promise<boolean> {
    const deletedMs = await this.#connection.call('GET', (redis) => redis.get(this.#grave(instanceId)));
    return deletedMs !== null && Number(deletedMs) >= Date.parse(at);
  }

  /** Keeps what is said of a message that could not be used; the oldest give way. */
  async addDeadLetter(letter: DeadLetter): Promise<void> {
    const fields = writeDeadLetter(letter);
    const keys = [`${this.#prefix}:told:dead:${fields.sha256}`, `${this.#prefix}:dead`];
    const texts = Object.entries<string>({ ...fields }).flat();
    const args = [repetitionMs, longestDeadLetters, ...texts];
    await this.#connection.call('XADD', (redis) => redis.eval(addOnce, 2, ...keys, ...args));
  }

  #wish(eventId: string): string {
    return `${this.#prefix}:fulfilled:${eventId}`;
  }

  #grave(instanceId: string): string {
    return `${this.#prefix}:deleted:${instanceId}`;
  }
}
