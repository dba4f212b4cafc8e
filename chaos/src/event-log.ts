import { existsSync, readFileSync } from 'node:fs';
import type { Event } from '@mcpinfra/core';
import type { Store } from '@mcpinfra/core/plugin';
import type { FaultClass } from './schedule.js';
import { auditGroups, groupOf, tenants } from './member-protocol.js';

/** So many positions the store leaves out, at least, after it was put back to what it was earlier. */
const leftOut = 1_000;

/** Every committed event, and where nobody has numbered one or left a number out. */
export async function readLog(
  store: Store,
): Promise<{ readonly events: readonly Event[]; readonly gaps: readonly string[] }> {
  const unnumbered = await store.events.number(10_000);
  const gaps = unnumbered.map(({ id, type }) => `${type} ${id} was never numbered`);
  const events: Event[] = [];
  for (;;) {
    const after = events.at(-1)?.position ?? 0;
    const page = await store.events.read({ after, limit: 1_000 });
    if (page.length === 0) return { events, gaps };
    for (const [n, { position }] of page.entries()) {
      const before = page[n - 1]?.position ?? after;
      // More are left out on purpose where the database was put back.
      if (position !== before + 1 && position <= before + leftOut)
        gaps.push(`there is a gap before ${String(position)}`);
    }
    events.push(...page);
  }
}

/** What a subscriber of one tenant heard of another's. */
export function overheard(handledFile: string): readonly string[] {
  return linesOf(handledFile).filter((line) => line.startsWith('overheard'));
}

/** So many events are handled, at most, before a group writes down how far it is. */
const page = 200;

/** The damages between the handling of an event and the writing down of it. */
const mayRepeat: ReadonlySet<FaultClass> = new Set([
  'kills',
  'postgres-readonly',
  'postgres-frozen',
  'postgres-refusing',
  'postgres-restored',
  'pool-held',
  'process-frozen',
]);

/** Why events were handled again more often than what was broken explains. */
export function repeatedTooOften(times: number, damages: ReadonlyMap<FaultClass, number>): readonly string[] {
  const causes = [...damages].reduce((sum, [name, count]) => sum + (mayRepeat.has(name) ? count : 0), 0);
  if (times <= causes * page) return [];
  return [`${String(times)} events were handled again, and ${String(causes)} times there was a reason to`];
}

/** How often an event was handled by a group that had handled it. */
export function repeated(handledFile: string): number {
  const lines = linesOf(handledFile);
  return lines.length - new Set(lines).size;
}

/** Every event that some group has not handled. */
export function unhandled(handledFile: string, events: readonly Event[]): readonly string[] {
  const lines = new Set(linesOf(handledFile));
  const groups = Object.values(auditGroups);
  return events.flatMap(({ id, type, position, tenant: owner }) =>
    [
      ...groups,
      ...tenants
        .filter((tenant) => tenant === owner)
        .flatMap((tenant) => groups.map((group) => groupOf(group, tenant))),
    ]
      .filter((group) => !lines.has(`${group} ${id}`))
      .map((group) => `${type} at ${String(position)} was not handled by ${group}`),
  );
}

function linesOf(handledFile: string): readonly string[] {
  return existsSync(handledFile) ? readFileSync(handledFile, 'utf8').trimEnd().split('\n') : [];
}
