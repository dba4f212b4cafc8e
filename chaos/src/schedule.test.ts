import { describe, expect, it } from 'vitest';
import { scheduleOf } from './schedule.js';

describe('scheduleOf', () => {
  it('is the same for the same seed, and begins the same when it is longer', () => {
    const short = scheduleOf(7, 30);
    expect(scheduleOf(7, 30)).toEqual(short);
    const long = scheduleOf(7, 60);
    expect(long.operations.slice(0, short.operations.length)).toEqual(short.operations);
    expect(long.kills.slice(0, short.kills.length)).toEqual(short.kills);
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
});
