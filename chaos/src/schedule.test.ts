import { describe, expect, it } from 'vitest';
import { faultKinds } from './fault-schedule.js';
import { scheduleOf, untouched } from './schedule.js';

describe('scheduleOf', () => {
  it('is the same for the same seed, and begins the same when it is longer', () => {
    const short = scheduleOf(7, 30);
    expect(scheduleOf(7, 30)).toEqual(short);
    const long = scheduleOf(7, 60);
    expect(long.operations.slice(0, short.operations.length)).toEqual(short.operations);
    expect(long.kills.slice(0, short.kills.length)).toEqual(short.kills);
    expect(long.faults.slice(0, short.faults.length)).toEqual(short.faults);
    expect(scheduleOf(8, 30)).not.toEqual(short);
  });

  it('asks of an instance only what it can do', () => {
    for (let seed = 0; seed < 50; seed++) {
      const alive = new Set<string>();
      const stopped = new Set<string>();
      for (const { operation } of scheduleOf(seed, 120).operations) {
        expect(alive.has(operation.name)).toBe(operation.kind !== 'create');
        if (operation.kind === 'create') alive.add(operation.name);
        if (operation.kind === 'delete') alive.delete(operation.name);
        if (operation.kind === 'stop') stopped.add(operation.name);
        if (operation.kind === 'start') stopped.delete(operation.name);
        if (operation.kind !== 'create') expect(operation.name.startsWith(untouched)).toBe(false);
        if (operation.kind === 'restart') expect(stopped.has(operation.name)).toBe(false);
      }
    }
  });

  it('kills everything that can be killed, in the long run', () => {
    const victims = new Set(scheduleOf(1, 600).kills.map(({ kill }) => kill.victim));
    expect([...victims].sort()).toEqual([
      'api',
      'container',
      'dockerd',
      'frozen-worker',
      'postgres',
      'redis',
      'worker',
    ]);
  });

  it('lets every fault happen to all and to one, briefly and for longer than anybody waits', () => {
    const { faults } = scheduleOf(1, 3_600);
    expect(new Set(faults.map(({ fault }) => fault.kind))).toEqual(new Set(faultKinds));
    for (const kind of faultKinds) {
      const all = faults.flatMap(({ fault }) => (fault.kind === kind ? [fault] : []));
      const isOnTheWay =
        /-(frozen|refusing|resetting|silent)$/u.test(kind) && !/^(server|process)/u.test(kind);
      const meetsAll = /-(readonly|emptied|behind|published|restored)$/u.test(kind);
      expect(new Set(all.map(({ which }) => which === null)), kind).toEqual(
        new Set(isOnTheWay ? [true, false] : [meetsAll]),
      );
      if (!/-(behind|restored)$/u.test(kind))
        expect(Math.max(...all.map(({ forMs }) => forMs)), kind).toBeGreaterThan(18_000);
      if (kind !== 'server-frozen')
        expect(Math.min(...all.map(({ forMs }) => forMs)), kind).toBeLessThan(6_000);
    }
  });

  it('leaves everything else as it is when a class is left out', () => {
    const all = scheduleOf(3, 120);
    const some = scheduleOf(3, 120, ['postgres-frozen', 'pool-held']);
    expect(some.operations).toEqual(all.operations);
    expect(some.kills).toEqual([]);
    expect(some.faults).toEqual(
      all.faults.filter(({ fault }) => ['postgres-frozen', 'pool-held'].includes(fault.kind)),
    );
    expect(scheduleOf(3, 120, ['kills'])).toEqual({ ...all, faults: [] });
  });
});
