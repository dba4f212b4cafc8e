import { readFileSync } from 'node:fs';
import type { Event } from '@mcpinfra/core';
import type { Store } from '@mcpinfra/core/plugin';
import { auditGroups } from './member-protocol.js';

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
      if (position !== before + 1) gaps.push(`there is a gap before ${String(position)}`);
    }
    events.push(...page);
  }
}

/** Every event that some group has not handled. */
export function unhandled(handledFile: string, events: readonly Event[]): readonly string[] {
  const lines = new Set(readFileSync(handledFile, 'utf8').split('\n'));
  return events.flatMap(({ id, type, position }) =>
    Object.values(auditGroups)
      .filter((group) => !lines.has(`${group} ${id}`))
      .map((group) => `${type} at ${String(position)} was not handled by ${group}`),
  );
}
