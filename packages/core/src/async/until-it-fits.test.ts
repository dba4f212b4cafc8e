import { expect, it } from 'vitest';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import { untilItFits } from './until-it-fits.js';

/** A row that is written under its version, as that of a store. */
function row() {
  let version = 0;
  const values: number[] = [];
  const add = (value: number) => async () => {
    const seen = version;
    return async () => {
      await Promise.resolve();
      if (seen !== version) throw mcpError('CONFLICT', 'Somebody wrote meanwhile.');
      version += 1;
      values.push(value);
    };
  };
  return { add, values };
}

it('lets each of many that write at once have its turn', async () => {
  const { add, values } = row();
  const all = Array.from({ length: 60 }, (_, value) => value);
  await Promise.all(all.map((value) => untilItFits(Math.random, add(value))));
  expect(values.sort((a, b) => a - b)).toEqual(all);
});

it('does not try again what was decided against, nor what failed for another reason, nor for ever', async () => {
  let tries = 0;
  const refuse = async () => {
    tries += 1;
    throw mcpError('CONFLICT', 'It has another version than was asked for.');
  };
  await expect(untilItFits(Math.random, refuse)).rejects.toMatchObject({ code: 'CONFLICT' });
  const fail = (code: 'CONFLICT' | 'STORE_FAILED') => async () => async () => {
    tries += 1;
    throw mcpError(code, 'It could not be written.');
  };
  await expect(untilItFits(Math.random, fail('STORE_FAILED'))).rejects.toMatchObject({
    code: 'STORE_FAILED',
  });
  expect(tries).toBe(2);
  await expect(untilItFits(() => 0, fail('CONFLICT'))).rejects.toMatchObject({ code: 'CONFLICT' });
  expect(tries).toBe(202);
});
