import { quoteValue } from '../domain/json-spec/quote-value.js';
import { isObject } from '../domain/is-object.js';
import type { Event } from '../domain/events/event.js';
import type { Page } from '../domain/list-page.js';
import { hasCode } from '../domain/errors/has-code.js';
import { mcpError, type MCPInfraError } from '../domain/errors/mcpinfra-error.js';

/** What a method of a store may answer. */
interface AnswerShape {
  /** As the object of a sentence. */
  readonly expected: string;
  readonly fits: (answer: unknown) => boolean;
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const isRow = (value: unknown): boolean =>
  isObject(value) && isText(value['id']) && isCount(value['resourceVersion']);
const isInstance = (value: unknown): boolean =>
  isRow(value) &&
  isObject(value) &&
  isText(value['status']) &&
  [value['jsonSpec'], value['statusDetail'], value['runtime']].every(isObject);
const isTime = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(Date.parse(value));
const isListOf =
  (fits: (item: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(fits);
const hasPosition = (value: unknown): boolean =>
  isObject(value) && isText(value['id']) && isText(value['type']) && isCount(value['position']);
const isLease = (value: unknown): boolean =>
  isObject(value) &&
  isText(value['name']) &&
  isText(value['holderId']) &&
  isCount(value['epoch']) &&
  isTime(value['expiresAt']);
const isPageOf =
  (fits: (item: unknown) => boolean) =>
  (value: unknown): boolean =>
    isObject(value) &&
    isListOf(fits)(value['items']) &&
    (value['nextCursor'] === null || isText(value['nextCursor']));
const orNull =
  (fits: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === null || fits(value);
const isGroup = (value: unknown): boolean =>
  isObject(value) && isText(value['group']) && Number.isSafeInteger(value['position']);
const isLetter = (value: unknown): boolean => isObject(value) && hasPosition(value['event']);
const isDrift = (value: unknown): boolean => isObject(value) && isText(value['name']);

function isInOrder(value: unknown): boolean {
  if (!Array.isArray(value) || !value.every(hasPosition)) return false;
  const positions = (value as readonly Event[]).map(({ position }) => position);
  return positions.every((position, i) => i === 0 || position > (positions[i - 1] ?? NaN));
}

const server = { expected: 'the whole row of a server', fits: isRow };
const instance = { expected: 'the whole row of an instance', fits: isInstance };
const pageOf = ({ fits }: AnswerShape): AnswerShape => ({
  expected: 'a page: { items: [whole rows], nextCursor: a text or null }',
  fits: isPageOf(fits),
});
const maybe = ({ expected, fits }: AnswerShape): AnswerShape => ({
  expected: `${expected}, or null`,
  fits: orNull(fits),
});
const count = { expected: 'a whole number from 0 on', fits: isCount };
const events = { expected: 'a list of events, each at a higher position', fits: isInOrder };
const leases = {
  expected: 'a list of leases: { name, holderId, epoch, expiresAt, address }',
  fits: isListOf(isLease),
};

/** By method; what is not named here answers nothing. */
const shapes: Readonly<Partial<Record<string, AnswerShape>>> = {
  open: {
    expected: 'its identity: { storeId, fleet, durable }',
    fits: (value) =>
      isObject(value) &&
      isText(value['storeId']) &&
      isText(value['fleet']) &&
      typeof value['durable'] === 'boolean',
  },
  createServer: server,
  updateServer: server,
  createInstance: instance,
  updateInstance: instance,
  now: { expected: 'a point in time as an ISO 8601 text', fits: isTime },
  'servers.get': maybe(server),
  'servers.list': pageOf(server),
  'instances.get': maybe(instance),
  'instances.list': pageOf(instance),
  'instances.count': count,
  'events.number': events,
  'events.read': events,
  'events.head': count,
  'events.cursor': maybe({ expected: 'a position', fits: Number.isSafeInteger }),
  'events.cursors': { expected: 'a list of { group, position, deadLetters }', fits: isListOf(isGroup) },
  'events.deadLetters': { expected: 'a list of { event, error, tries, at }', fits: isListOf(isLetter) },
  'events.trim': count,
  'leases.acquire': leases,
  'leases.renew': leases,
  'leases.list': leases,
  'counters.get': { expected: 'a whole number', fits: Number.isSafeInteger },
  'counters.recount': { expected: 'a list of { name, was, is }', fits: isListOf(isDrift) },
};

/** What a method is expected to answer, as the object of a sentence, where that is not what it answered. */
export function misfit(method: string, answer: unknown): string | undefined {
  const shape = shapes[method];
  return shape === undefined || shape.fits(answer) ? undefined : shape.expected;
}

/** What a page that goes on from a cursor is expected to be, where it would go on for ever. */
export function endless(
  { items, nextCursor }: Page<unknown>,
  cursor: string | undefined,
): string | undefined {
  if (nextCursor === null) return undefined;
  if (items.length === 0) return 'rows on a page that another one follows';
  return nextCursor === cursor ? 'another cursor than the one it was given' : undefined;
}

/** What events read after a position are expected to be, where they come from before it. */
export function backwards(read: readonly Event[], after: number): string | undefined {
  const [first] = read;
  return first === undefined || first.position > after ? undefined : `events after position ${after}`;
}

/** The error in place of one by which whoever reads on after a position would not get on. */
export function expiredInVain(error: unknown, after: number): MCPInfraError | undefined {
  if (!hasCode(error, 'CURSOR_EXPIRED')) return undefined;
  const oldest = error.details['oldest'];
  if (Number.isSafeInteger(oldest) && Number(oldest) - 1 > after) return undefined;
  const message = `Expected CURSOR_EXPIRED of events.read() after ${after} to tell a details.oldest above ${after + 1}, got ${quoteValue(oldest, ['oldest'])}.`;
  return mcpError('PLUGIN_CONTRACT', message, { cause: error });
}
