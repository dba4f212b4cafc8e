import { storeSuite } from '@mcpinfra/conformance/store';
import { memoryStore } from '@mcpinfra/core';
import type { Store } from '@mcpinfra/core/plugin';
import { describe, expect, it } from 'vitest';
import * as broken from './support/broken-stores.js';
import { altered } from './support/altered.js';
import * as odd from './support/stores-with-odd-reads.js';
import { collectFailures } from './support/collect-failures.js';

const faults: readonly (readonly [fault: string, make: () => Store, failing: readonly string[]])[] = [
  [
    'writes the events of an update that was refused',
    broken.withEventsOfRefusedUpdates,
    ['instances/update-conflict', 'at-once/update', 'at-once/delete-and-update', 'events/with-the-row-only'],
  ],
  ['lets the cursor of a group go back', broken.withCursorsThatGoBack, ['log/cursor-forward', 'groups/set']],
  [
    'takes the fence of a lease that is no more',
    broken.withFencesOfDeadLeases,
    ['fences/never-given', 'fences/released', 'fences/expired', 'fences/changed-hands'],
  ],
  ['counts rows to keep a limit', broken.withLimitsByCountingRows, ['counters/exact']],
  [
    'loses the order of events in a transaction',
    broken.withEventsOutOfOrder,
    ['events/at-once', 'events/reader'],
  ],
  [
    'skips rows of the same time between pages',
    broken.withPagesByTimeOnly,
    ['lists/equal-times', 'lists/rows-that-go', 'lists/rows-that-come', 'lists/filtered-pages'],
  ],
  ['forgets its head with its last event', broken.withHeadOfWhatIsLeft, ['log/trim-all']],
  [
    'is ahead of its reads with its head',
    broken.withHeadAheadOfReads,
    ['events/unnumbered', 'events/number', 'log/filter-with-trimming'],
  ],
  ['reads beyond the end that is asked for', broken.withReadsWithoutEnd, ['log/up-to']],
  [
    'keeps the dead letters of a group that is forgotten',
    broken.withLettersOfNobody,
    ['groups/dead-letters'],
  ],
  ['hands out its own rows', broken.withSharedRows, ['values/apart']],
  [
    'shows to readers what its writes are no longer checked against',
    odd.withReadsBehindItsChecks,
    [
      'reads/retried-updates',
      'reads/counting',
      'reads/after-conflict',
      'reads/after-exists',
      'reads/never-back',
    ],
  ],
  [
    'shows an older row after a newer one',
    odd.withReadsThatGoBack,
    ['reads/after-conflict', 'reads/after-exists', 'reads/never-back'],
  ],
  [
    'resolves a write before it can be read',
    odd.withWritesThatResolveEarly,
    [
      'reads/retried-updates',
      'reads/counting',
      'reads/after-conflict',
      'reads/after-exists',
      'reads/after-write',
      'reads/never-back',
    ],
  ],
  ['does not tell when leases are given back', broken.withoutNewsOfLeases, ['watch/leases']],
];

describe('the suite finds a store that', () => {
  it.each(faults)('%s', async (_fault, make, failing) => {
    const { failed } = await collectFailures((register) =>
      storeSuite({ it: register, create: () => ({ store: make() }), patienceMs: 1000 }),
    );
    expect([...failed.keys()]).toEqual(failing.map((id) => `store/${id}`));
  });
});

it('finds nothing wrong with the same store behind a proxy that changes nothing', async () => {
  const { failed, passed } = await collectFailures((register) =>
    storeSuite({ it: register, create: () => ({ store: altered(memoryStore(), () => ({})) }) }),
  );
  expect([...failed.keys()]).toEqual([]);
  expect(passed.length).toBeGreaterThan(100);
});
