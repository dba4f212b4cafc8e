import assert from 'node:assert/strict';
import { format, inspect } from 'node:util';
import { Secret } from '@mcpinfra/core/plugin';
import { rejectsWith } from '../rejects-with.js';
import type { Case } from '../suite.js';
import { seed } from './seed.js';
import { isStore, reference, type SecretsBench } from './secrets-bench.js';

const canary = 'canary-value';
const ids = ['instance_1:TOKEN', 'instance_1:OTHER', 'instance_10:TOKEN'];

/** Every way in which Node turns something into text. */
const printed = {
  'String()': String,
  'a template': (value: unknown) => `: ${value as string}`,
  'JSON.stringify()': (value: unknown) => JSON.stringify(value),
  'util.inspect()': (value: unknown) => inspect(value, { depth: null, showHidden: true, getters: true }),
  'console.log() with placeholders': (value: unknown) =>
    format('%s %o %O %j %d %i', value, value, value, value, value, value),
  'its own properties': (value: unknown) =>
    inspect(Object.getOwnPropertyDescriptors(value), { depth: null, showHidden: true }),
} satisfies Record<string, (value: unknown) => string>;

export const discretionCases: readonly Case<SecretsBench>[] = [
  {
    id: 'secret-resolver/discretion/nothing-printed',
    text: 'Values are Secret of @mcpinfra/core/plugin, and neither they nor the answer show a value when printed or cloned.',
    run: async (secrets) => {
      const found = await secrets.resolve(ids);
      assert.equal(found.size, ids.length);
      for (const [id, secret] of found) {
        assert.ok(secret instanceof Secret, `${id} is no Secret`);
        for (const [how, print] of Object.entries(printed)) silent(how, print(secret));
        assert.throws(() => structuredClone(secret), `${id} can be cloned`);
      }
      for (const [how, print] of Object.entries(printed)) silent(`${how} of the answer`, print(found));
    },
  },
  {
    id: 'secret-resolver/discretion/plugin-printed',
    text: 'The resolver itself shows no value when printed, also after it has given some.',
    run: async (secrets) => {
      await secrets.resolve(ids);
      const text = inspect(secrets.resolver, { depth: 10, showHidden: true, maxArrayLength: null });
      silent('util.inspect() of the resolver', text);
    },
  },
  {
    id: 'secret-resolver/discretion/cannot-tell',
    text: 'When its backend fails, resolve() rejects with SECRET_BACKEND_FAILED; the reference is not left out as if absent.',
    notFor: ({ harness }) =>
      harness.unreachable ? null : 'the harness has no unreachable(): it has no backend that could be away',
    run: async (secrets) => {
      const { unreachable } = secrets.harness;
      const resolver = unreachable?.() ?? assert.fail();
      const resolving = secrets.open(resolver).then((by) => secrets.resolve(ids, { by }));
      const error = await rejectsWith(['SECRET_BACKEND_FAILED'], 'resolve()', resolving);
      silent('the error', inspect(error, { depth: null }));
    },
  },
  {
    id: 'secret-resolver/discretion/errors',
    text: 'The error of a call that was refused or ended shows no value.',
    run: async (secrets) => {
      const { resolver } = secrets;
      const options = { signal: AbortSignal.abort() };
      const context = { instanceId: '', tenant: '', principal: null };
      const secret = new Secret(seed['instance_1:TOKEN'] ?? assert.fail());
      const calls = [resolver.resolve(ids.map(reference), context, options)] as Promise<unknown>[];
      if (isStore(resolver)) {
        calls.push(resolver.put(reference('instance_1:TOKEN'), secret, options));
        calls.push(resolver.put({ scope: 'not a\nscope', key: '' }, secret));
      }
      for (const outcome of await secrets.within('refused calls', Promise.allSettled(calls)))
        if (outcome.status === 'rejected')
          silent('an error', inspect(outcome.reason, { depth: null }) + JSON.stringify(outcome.reason));
    },
  },
];

function silent(how: string, text: string): void {
  // The text itself is not shown: a report is read by more people than a secret.
  assert.ok(!text.includes(canary), `${how} shows a value`);
}
