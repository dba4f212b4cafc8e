import type { Outage, Part } from './outages.js';
import { seconds } from './seconds.js';

/** By when `health()` has to be right, in milliseconds. */
export const healthBounds = Object.freeze({
  /** It answers, whatever hangs. */
  answerMs: 5_000,
  /** It names what does not work. */
  noticeMs: 15_000,
  /** It names nothing that works again: one comparison of everything, each 30 s, and a little more. */
  recoverMs: 40_000,
});

/** What a process said of its surroundings, and when. */
export interface HealthAnswer {
  readonly member: string;
  readonly role: 'api' | 'worker';
  /** Since when this process works. */
  readonly sinceMs: number;
  readonly askedMs: number;
  readonly answeredMs: number;
  readonly status: string;
  /** The parts that it says do not work, with a sentence for each. */
  readonly degraded: Readonly<Record<string, string>>;
}

const parts: readonly Part[] = ['store', 'event-bus', 'provider:docker'];

/** Compares what a process said with what is true. Returns what is wrong, each as a sentence that repeats alike. */
export function judgeHealth(answer: HealthAnswer, outages: readonly Outage[]): readonly string[] {
  const mine = outages.filter(
    ({ members, fromMs }) => members.includes(answer.member) && fromMs <= answer.answeredMs,
  );
  const wrong = parts.flatMap((part) => judgePart(part, answer, mine) ?? []);
  const count = Object.keys(answer.degraded).length;
  if (answer.status === (count > 0 ? 'degraded' : 'ok')) return wrong;
  return [
    ...wrong,
    `${answer.member} is ${answer.status}, and names ${String(count)} parts that do not work`,
  ];
}

function judgePart(part: Part, answer: HealthAnswer, mine: readonly Outage[]): string | undefined {
  const { member, sinceMs, askedMs, answeredMs, degraded } = answer;
  const said = degraded[part];
  const stalls = mine.filter(({ of }) => of === 'process' || (of === 'pool' && part === 'store'));
  const outages = mine.filter(({ of }) => of === part);
  if (said === undefined) {
    if (!uses(answer, part)) return undefined;
    // A process that was frozen, or has just begun, needs its time too.
    const ableMs = Math.max(sinceMs, ...stalls.map(({ toMs }) => toMs));
    const lasting = outages.find(
      ({ fromMs, toMs }) => toMs > answeredMs && Math.max(fromMs, ableMs) + healthBounds.noticeMs < askedMs,
    );
    return lasting && `${member} does not name ${part}, which is ${lasting.how} (${at(lasting)})`;
  }
  const calmMs = Math.max(sinceMs, ...[...stalls, ...outages].map(({ toMs }) => toMs));
  if (calmMs + healthBounds.recoverMs > askedMs) return undefined;
  return `${member} names ${part}, which has worked since ${seconds(calmMs)}: ${said}`;
}

/** Only workers speak to the engine all the time. */
function uses({ role }: HealthAnswer, part: Part): boolean {
  return part !== 'provider:docker' || role === 'worker';
}

function at({ fromMs, toMs }: Outage): string {
  return toMs === Infinity ? `since ${seconds(fromMs)}` : `from ${seconds(fromMs)} to ${seconds(toMs)}`;
}
