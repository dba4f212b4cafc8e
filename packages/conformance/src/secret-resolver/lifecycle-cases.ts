import assert from 'node:assert/strict';
import type { Case } from '../suite.js';
import { seed } from './seed.js';
import { isStore, type SecretsBench } from './secrets-bench.js';

export const lifecycleCases: readonly Case<SecretsBench>[] = [
  {
    id: 'secret-resolver/lifecycle/close-idempotent',
    text: 'close() can be called again, at the same time and later.',
    notFor: ({ resolver }) => (resolver.close ? null : 'it has no close()'),
    run: async (secrets) => {
      const { resolver } = secrets;
      await secrets.resolve(['instance_1:TOKEN']);
      await secrets.within('two close() at once', Promise.all([resolver.close?.(), resolver.close?.()]));
      await secrets.within('close() once more', resolver.close?.() ?? Promise.resolve());
    },
  },
  {
    id: 'secret-resolver/lifecycle/another',
    text: 'Another resolver on the backend gives the same values.',
    notFor: ({ harness, resolver }) => {
      if (!harness.another) return 'the harness has no another(): no two of these share a backend';
      return isStore(resolver) && !resolver.durable ? 'it is not durable, and says so' : null;
    },
    run: async (secrets) => {
      const another = await secrets.open(secrets.harness.another?.() ?? assert.fail());
      const ids = ['instance_1:TOKEN', 'instance_10:TOKEN'];
      const expected = Object.fromEntries(ids.map((id) => [id, seed[id]]));
      assert.deepEqual(await secrets.reveal([...ids, 'instance_1:ABSENT'], another), expected);
    },
  },
];
