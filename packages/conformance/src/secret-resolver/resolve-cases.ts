import assert from 'node:assert/strict';
import { rejectsWith } from '../rejects-with.js';
import type { Case } from '../suite.js';
import { awkwardIds, awkwardValues, seed } from './seed.js';
import { reference, type SecretsBench } from './secrets-bench.js';

const pick = (ids: readonly string[]): Record<string, string | undefined> =>
  Object.fromEntries(ids.map((id) => [id, seed[id]]));

export const resolveCases: readonly Case<SecretsBench>[] = [
  {
    id: 'secret-resolver/resolve/what-it-has',
    text: 'resolve() gives the value of a reference under "<scope>:<KEY>".',
    run: async (secrets) => {
      const ids = ['instance_1:TOKEN'];
      assert.deepEqual(await secrets.reveal(ids), pick(ids));
    },
  },
  {
    id: 'secret-resolver/resolve/what-it-has-not',
    text: 'A key that it does not have is left out; it is no error.',
    run: async (secrets) => {
      assert.deepEqual(await secrets.reveal(['instance_1:ABSENT']), {});
    },
  },
  {
    id: 'secret-resolver/resolve/unknown-scope',
    text: 'A scope that it has never heard of is left out; it is no error.',
    run: async (secrets) => {
      assert.deepEqual(await secrets.reveal(['instance_999:TOKEN']), {});
    },
  },
  {
    id: 'secret-resolver/resolve/batch',
    text: 'A batch gives what it has of several scopes and leaves out the rest.',
    run: async (secrets) => {
      const ids = ['instance_1:TOKEN', 'instance_1:OTHER', 'instance_10:TOKEN'];
      const found = await secrets.reveal([...ids, 'instance_1:ABSENT', 'instance_999:TOKEN']);
      assert.deepEqual(found, pick(ids));
    },
  },
  {
    id: 'secret-resolver/resolve/empty-batch',
    text: 'An empty batch gives nothing.',
    run: async (secrets) => {
      assert.deepEqual(await secrets.reveal([]), {});
    },
  },
  {
    id: 'secret-resolver/resolve/repetitions',
    text: 'A reference that is asked for several times at once is given like any other.',
    run: async (secrets) => {
      const ids = ['instance_1:TOKEN', 'instance_1:ABSENT', 'instance_1:TOKEN', 'instance_1:ABSENT'];
      assert.deepEqual(await secrets.reveal(ids), pick(['instance_1:TOKEN']));
    },
  },
  {
    id: 'secret-resolver/resolve/inherited-names',
    text: 'Names that every object inherits are absent like others.',
    run: async (secrets) => {
      const ids = [
        'constructor:name',
        '__proto__:toString',
        'instance_1:constructor',
        'instance_1:__proto__',
      ];
      assert.deepEqual(await secrets.reveal(ids), {});
    },
  },
  {
    id: 'secret-resolver/resolve/every-character',
    text: 'Scopes and keys of every permitted character and length are kept apart: case, dots, dashes, slashes, colons.',
    run: async (secrets) => {
      assert.deepEqual(await secrets.reveal(awkwardIds), pick(awkwardIds));
    },
  },
  {
    id: 'secret-resolver/resolve/exact-values',
    text: 'Values come exactly as they were written: lines, spaces at the ends, Unicode, quotes, 64 KB.',
    run: async (secrets) => {
      const found = await secrets.reveal(Object.keys(awkwardValues));
      for (const [id, value] of Object.entries(awkwardValues))
        assert.ok(found[id] === value, `${id} came changed (${found[id]?.length ?? 'no'} characters)`);
    },
  },
  {
    id: 'secret-resolver/resolve/for-whom',
    text: 'Who asks may be unknown to it, for what is shared: any instance, any tenant, with a principal or none.',
    run: async (secrets) => {
      const asks = { instanceId: '0b0e6a52-6f0c-4f0e-9a51-3f0c6b8f2d11', tenant: 'tenant-ä' };
      for (const principal of [null, 'user@example']) {
        const context = { ...asks, principal };
        const found = await secrets.resolve(['instance_1:TOKEN'], { context });
        assert.deepEqual([...found.keys()], ['instance_1:TOKEN']);
      }
    },
  },
  {
    id: 'secret-resolver/resolve/at-once',
    text: 'Batches that are asked for at the same time do not disturb each other.',
    run: async (secrets) => {
      const ids = ['instance_1:TOKEN', 'instance_1:OTHER', 'instance_10:TOKEN', 'instance_1:ABSENT'];
      const asked = Array.from({ length: 20 }, (_, index) => [ids[index % ids.length] ?? assert.fail()]);
      const found = await Promise.all(asked.map((batch) => secrets.reveal(batch)));
      const expected = asked.map(([id]) => (id === undefined || seed[id] === undefined ? {} : pick([id])));
      assert.deepEqual(found, expected);
    },
  },
  {
    id: 'secret-resolver/resolve/aborted',
    text: 'resolve() with a signal that is aborted already rejects with ABORTED.',
    run: async (secrets) => {
      const context = { instanceId: '', tenant: '', principal: null };
      const signal = AbortSignal.abort();
      const resolving = secrets.resolver.resolve([reference('instance_1:TOKEN')], context, { signal });
      await rejectsWith(['ABORTED'], 'resolve()', secrets.within('resolve()', resolving));
    },
  },
];
