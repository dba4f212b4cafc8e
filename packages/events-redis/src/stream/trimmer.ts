import { messageOf, type PartReport, SingleFlight } from '@mcpinfra/core/plugin';
import type { Connection } from '../connection/connection.js';
import { isRefusal } from '../connection/is-refusal.js';
import type { ResolvedSettings } from '../redis-events-options.js';

const every = { events: 1_000, ms: 60_000 };

/**
 * In one step, so that no group gets further or falls back between the look and the cut. KEYS: the stream. ARGV: how many
 * events to keep, for how many milliseconds, and for how many those that a group has not handled.
 *
 * MAXLEN would delete entries that a group has yet to acknowledge.
 */
const script = `
local function isEarlier(a, b)
  local ams, aseq = string.match(a, '(%d+)-(%d+)')
  local bms, bseq = string.match(b, '(%d+)-(%d+)')
  if ams == bms then return tonumber(aseq) < tonumber(bseq) end
  return tonumber(ams) < tonumber(bms)
end
local length = redis.call('XLEN', KEYS[1])
if length == 0 then return 0 end
local now = tonumber(redis.call('TIME')[1]) * 1000
local function ago(ms) return string.format('%.0f-0', math.max(0, now - tonumber(ms))) end
local needed
for _, pairs in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = {}
  for at = 1, #pairs, 2 do group[pairs[at]] = pairs[at + 1] end
  local own = group['last-delivered-id']
  if group['pending'] > 0 then
    local pending = redis.call('XPENDING', KEYS[1], group['name'])[2]
    if isEarlier(pending, own) then own = pending end
  end
  if needed == nil or isEarlier(own, needed) then needed = own end
end
local cut = ago(ARGV[2])
local excess = length - tonumber(ARGV[1])
if excess > 0 then
  -- No further than to what a group needs: of a stream that one holds up, all of that would be read in vain each time.
  local most = math.min(excess, 10000) + 1
  local oldest = redis.call('XRANGE', KEYS[1], '-', needed or '+', 'COUNT', most)
  local kept = #oldest == most and oldest[most][1] or needed
  if kept and isEarlier(cut, kept) then cut = kept end
end
if needed and isEarlier(needed, cut) then cut = needed end
local abandoned = ago(ARGV[3])
if isEarlier(cut, abandoned) then cut = abandoned end
return redis.call('XTRIM', KEYS[1], 'MINID', '~', cut)
`;

/** Keeps the stream from growing, now and then, while somebody publishes. */
export class Trimmer {
  readonly #connection: Connection;
  readonly #key: string;
  readonly #settings: ResolvedSettings;
  #published = 0;
  #lastMs = -Infinity;
  readonly #trimming: SingleFlight;

  constructor(
    connection: Connection,
    key: string,
    { settings, report }: { readonly settings: ResolvedSettings; readonly report: PartReport },
  ) {
    this.#connection = connection;
    this.#key = key;
    this.#settings = settings;
    this.#trimming = new SingleFlight(
      async () => {
        await this.#trim();
        report('trimming', true);
      },
      (error) => {
        // While Redis is away nothing is added either; the next one makes up for it.
        if (isRefusal(error))
          report('trimming', false, `What is old stays in the stream: ${messageOf(error)}`);
      },
    );
  }

  /** Counts what was published; trims when it is time. */
  published(events: number): void {
    this.#published += events;
    const isTime = this.#published >= every.events || performance.now() - this.#lastMs >= every.ms;
    if (!isTime) return;
    this.#published = 0;
    this.#lastMs = performance.now();
    void this.#trimming.run();
  }

  async #trim(): Promise<void> {
    const { maxEvents, maxAgeMs, maxUnhandledAgeMs } = this.#settings;
    await this.#connection.call('XTRIM', (redis) =>
      redis.eval(script, 1, this.#key, maxEvents, maxAgeMs, Math.max(maxAgeMs, maxUnhandledAgeMs)),
    );
  }
}
