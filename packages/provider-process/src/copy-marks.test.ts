import { describe, expect, it } from 'vitest';
import { copyKey, marksFromEnviron, marksToEnvironment, type CopyMarks } from './copy-marks.js';

const marks: CopyMarks = {
  fleet: 'fleet=1',
  storeId: 'store-1',
  copy: { instanceId: 'i-1', revision: 3, slug: 'fs-1-0a1b2c3d' },
  owner: { machineId: 'ab12', bootId: 'cd34', pid: 42, startTime: 99 },
};

function environ(variables: Record<string, string>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\0`)
    .join('');
}

describe('marks', () => {
  it('are read off an environment as they were written into it', () => {
    expect(marksFromEnviron(environ({ PATH: '/bin', ...marksToEnvironment(marks), A: '' }))).toEqual(marks);
  });

  it('that are not complete, or not ours, are none', () => {
    expect(marksFromEnviron('')).toBeUndefined();
    expect(marksFromEnviron(environ({ MCPINFRA_FLEET: 'x' }))).toBeUndefined();
    for (const name of Object.keys(marksToEnvironment(marks))) {
      const { [name]: _left, ...rest } = marksToEnvironment(marks);
      expect(marksFromEnviron(environ(rest)), name).toBeUndefined();
    }
    expect(marksFromEnviron(environ({ ...marksToEnvironment(marks), MCPINFRA_OWNER: 'me' }))).toBeUndefined();
  });

  it('tell every copy from every other', () => {
    const other = { ...marks, copy: { ...marks.copy, revision: 4 } };
    expect(
      new Set([marks, other, { ...marks, fleet: 'b' }, { ...marks, storeId: 'b' }].map(copyKey)).size,
    ).toBe(4);
  });
});
