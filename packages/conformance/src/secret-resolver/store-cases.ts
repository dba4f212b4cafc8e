import assert from 'node:assert/strict';
import { Secret } from '@mcpinfra/core/plugin';
import { rejectsWith } from '../rejects-with.js';
import type { Case } from '../suite.js';
import { isStore, reference, type SecretsBench } from './secrets-bench.js';

const notFor = ({ resolver }: SecretsBench): string | null =>
  isStore(resolver) ? null : 'it has no put(), delete() and deleteScope(): it is a resolver only';

export const storeCases: readonly Case<SecretsBench>[] = [
  {
    id: 'secret-resolver/store/put',
    text: 'What was put is resolved from then on.',
    notFor,
    run: async (secrets) => {
      assert.deepEqual(await secrets.reveal(['store:NEW']), {});
      await secrets.put({ 'store:NEW': 'one' });
      assert.deepEqual(await secrets.reveal(['store:NEW']), { 'store:NEW': 'one' });
    },
  },
  {
    id: 'secret-resolver/store/put-replaces',
    text: 'put() replaces an earlier value, and no other.',
    notFor,
    run: async (secrets) => {
      await secrets.put({ 'store:A': 'one', 'store:B': 'two' });
      await secrets.put({ 'store:A': 'three' });
      assert.deepEqual(await secrets.reveal(['store:A', 'store:B']), {
        'store:A': 'three',
        'store:B': 'two',
      });
    },
  },
  {
    id: 'secret-resolver/store/put-aborted',
    text: 'put() with a signal that is aborted already rejects with ABORTED and writes nothing.',
    notFor,
    run: async (secrets) => {
      const signal = AbortSignal.abort();
      const putting = secrets.store.put(reference('store:NEW'), new Secret('one'), { signal });
      await rejectsWith(['ABORTED'], 'put()', secrets.within('put()', putting));
      assert.deepEqual(await secrets.reveal(['store:NEW']), {});
    },
  },
  {
    id: 'secret-resolver/store/empty-value',
    text: 'An empty value is resolved as one; it is not absent.',
    notFor,
    run: async (secrets) => {
      await secrets.put({ 'store:EMPTY': '' });
      assert.deepEqual(await secrets.reveal(['store:EMPTY', 'store:ABSENT']), { 'store:EMPTY': '' });
    },
  },
  {
    id: 'secret-resolver/store/puts-at-once',
    text: 'Puts at the same time are all kept, and of several to one reference one remains whole.',
    notFor,
    run: async (secrets) => {
      const many = Object.fromEntries(
        Array.from({ length: 20 }, (_, index) => [`store:K${index}`, `v${index}`]),
      );
      const rivals = Array.from({ length: 10 }, (_, index) => String(index).repeat(5000));
      await Promise.all([
        ...Object.entries(many).map(([id, value]) => secrets.put({ [id]: value })),
        ...rivals.map((value) => secrets.put({ 'store:RIVAL': value })),
      ]);
      assert.deepEqual(await secrets.reveal(Object.keys(many)), many);
      const { 'store:RIVAL': winner } = await secrets.reveal(['store:RIVAL']);
      assert.ok(winner !== undefined && rivals.includes(winner), 'no rival remained whole');
    },
  },
  {
    id: 'secret-resolver/store/delete',
    text: 'delete() removes one value and no other, and it can be put again.',
    notFor,
    run: async (secrets) => {
      await secrets.put({ 'store:A': 'one', 'store:AB': 'two' });
      await secrets.store.delete(reference('store:A'));
      assert.deepEqual(await secrets.reveal(['store:A', 'store:AB']), { 'store:AB': 'two' });
      await secrets.put({ 'store:A': 'three' });
      assert.deepEqual(await secrets.reveal(['store:A']), { 'store:A': 'three' });
    },
  },
  {
    id: 'secret-resolver/store/delete-absent',
    text: 'delete() and deleteScope() of what is not there resolve, also when repeated.',
    notFor,
    run: async (secrets) => {
      for (let time = 0; time < 2; time += 1) {
        await secrets.within('delete()', secrets.store.delete(reference('store:ABSENT')));
        await secrets.within('deleteScope()', secrets.store.deleteScope('nowhere'));
      }
    },
  },
  {
    id: 'secret-resolver/store/delete-scope',
    text: 'deleteScope() removes everything under that scope and nothing under one that begins alike.',
    notFor,
    run: async (secrets) => {
      const alike = {
        'scope2:A': '1',
        'scope.x:A': '2',
        'scope/x:A': '3',
        'scope_:A': '4',
        'xscope:A': '5',
        'SCOPE:A': '6',
        'other:scope:A': '7',
      };
      const gone = { 'scope:A': '8', 'scope:B:C': '9', 'scope:a/b': '10' };
      await secrets.put({ ...alike, ...gone });
      await secrets.within('deleteScope()', secrets.store.deleteScope('scope'));
      assert.deepEqual(await secrets.reveal(Object.keys({ ...alike, ...gone })), alike);
    },
  },
  {
    id: 'secret-resolver/store/delete-scope-literally',
    text: 'deleteScope() takes a scope as it is written: "_", "." and the like stand for themselves.',
    notFor,
    run: async (secrets) => {
      const others = { 'a1b:K': '1', 'a_bc:K': '2', 'a-b:K': '3' };
      await secrets.put({ ...others, 'a_b:K': '4', 'a.b:K': '5' });
      await secrets.within('deleteScope()', secrets.store.deleteScope('a_b'));
      await secrets.within('deleteScope()', secrets.store.deleteScope('a.b'));
      assert.deepEqual(await secrets.reveal(['a_b:K', 'a.b:K', ...Object.keys(others)]), others);
    },
  },
  {
    id: 'secret-resolver/store/list',
    text: 'list() gives the references under exactly that scope, as they were put; none under a scope without any.',
    notFor: (secrets) => notFor(secrets) ?? (secrets.store.list ? null : 'it has no list()'),
    run: async (secrets) => {
      const keys = ['A', 'a', 'B:C', 'a/b', '-', '--', 'a--b-', '..', 'K'.repeat(200), 'x.y@z_'];
      await secrets.put(Object.fromEntries(keys.map((key) => [`scope:${key}`, 'one'])));
      await secrets.put({ 'scope2:A': '1', 'scope.x:A': '2', 'SCOPE:A': '3', 'other:scope:A': '4' });
      await secrets.store.delete(reference('scope:B:C'));
      const listed = await secrets.list('scope');
      assert.deepEqual([...listed].sort(), keys.filter((key) => key !== 'B:C').sort());
      await secrets.within('deleteScope()', secrets.store.deleteScope('scope'));
      assert.deepEqual(await secrets.list('scope'), []);
      assert.deepEqual(await secrets.list('nowhere'), []);
    },
  },
  {
    id: 'secret-resolver/store/for-whom',
    text: 'What is written for an instance of a tenant is resolved, listed and deleted for it.',
    notFor,
    run: async (secrets) => {
      const instanceId = '0b0e6a52-6f0c-4f0e-9a51-3f0c6b8f2d11';
      const context = { instanceId, tenant: 'tenant-a', principal: null };
      const own = reference(`instance_${instanceId}:OWN`);
      const ids = [`instance_${instanceId}:OWN`];
      await secrets.within('put()', secrets.store.put(own, new Secret('one'), { context }));
      assert.deepEqual([...(await secrets.resolve(ids, { context })).keys()], ids);
      await secrets.within('delete()', secrets.store.delete(own, { context }));
      assert.equal((await secrets.resolve(ids, { context })).size, 0);
      await secrets.within('put()', secrets.store.put(own, new Secret('two'), { context }));
      const deleting = secrets.store.deleteScope(own.scope, { context });
      await secrets.within('deleteScope()', deleting);
      assert.equal((await secrets.resolve(ids, { context })).size, 0);
    },
  },
  {
    id: 'secret-resolver/store/durable',
    text: 'A store that calls itself durable gives its values, and what was deleted stays so, from another object on its backend.',
    notFor: (secrets) => notFor(secrets) ?? (secrets.store.durable ? null : 'it is not durable, and says so'),
    run: async (secrets) => {
      await secrets.put({ 'store:KEPT': 'one', 'store:GONE': 'two' });
      await secrets.store.delete(reference('store:GONE'));
      await secrets.within('close()', secrets.store.close?.() ?? Promise.resolve());
      const another = secrets.harness.another?.();
      assert.ok(another, 'it calls itself durable, but the harness has no another() to show it');
      await secrets.open(another);
      assert.deepEqual(await secrets.reveal(['store:KEPT', 'store:GONE'], another), { 'store:KEPT': 'one' });
    },
  },
];
