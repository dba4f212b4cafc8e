import { memorySecrets, memoryStore } from '@mcpinfra/core';
import type { Store } from '@mcpinfra/core/plugin';
import { createTestInfra, fakeProvider, manualClock } from '@mcpinfra/core/testing';
import { processProvider } from '@mcpinfra/provider-process';
import { urlProvider } from '@mcpinfra/provider-url';
import { plainShapes, secretShapes, type Shape } from '@mcpinfra/tools';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { importFleet } from './import-fleet.js';

function threeKinds(store: Store) {
  const clock = manualClock();
  const providers = [
    fakeProvider({ clock }),
    fakeProvider({ of: processProvider(), clock }),
    fakeProvider({ of: urlProvider(), placement: '*', clock }),
  ] as const;
  return createTestInfra({ clock, store, providers, secrets: [memorySecrets()] });
}

/** The part of a document where a shape stands. */
function partOf({ place, name, value }: Shape): object {
  switch (place) {
    case 'variable':
      return { type: 'docker', image: 'mcp/test', environment: { [name === '' ? 'VALUE' : name]: value } };
    case 'header':
      return { type: 'url', endpoint: 'https://example.com/mcp', headers: { [name]: value } };
    case 'argument':
      return { type: 'docker', image: 'mcp/test', command: argumentsOf(name, value) };
    case 'parameter':
      return {
        type: 'url',
        endpoint: `https://example.com/mcp?a=1&${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
      };
    case 'segment':
      return { type: 'url', endpoint: `https://example.com/s/${encodeURIComponent(value)}/mcp` };
  }
}

function argumentsOf(option: string, value: string): string[] {
  if (option === '') return [value];
  return option.startsWith('-') ? [option, value] : [`${option}=${value}`];
}

/** The same as a client's configuration has it. */
function entryOf(shape: Shape): object {
  const { command, environment, endpoint, headers } = partOf(shape) as Record<string, unknown>;
  if (endpoint !== undefined) return { url: endpoint, headers };
  return { command: 'run-it', args: command ?? [], env: environment };
}

it('leaves no value readable that any shape marks as a secret, wherever it came in', async () => {
  const few = fc.uniqueArray(fc.constantFrom(...secretShapes), { minLength: 30, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(few, async (shapes) => {
      const store = memoryStore();
      await using t = await threeKinds(store);
      const { servers, instances } = t.infra;
      const shown: unknown[] = [];
      const keep = async (answer: Promise<unknown>): Promise<unknown> => {
        const told = await answer.catch((error: unknown) => error);
        shown.push(told instanceof Error ? [told.message, told.stack, Reflect.get(told, 'details')] : told);
        return told;
      };
      for (const [i, shape] of shapes.entries()) {
        const jsonSpec = partOf(shape) as never;
        const made = await keep(instances.create({ name: `own-${String(i)}`, jsonSpec }));
        // What cannot be kept secret is refused, all else is kept.
        expect(made instanceof Error, `${shape.place} ${shape.name} ${shape.value}`).toBe(
          shape.place === 'argument',
        );
        const definition = await keep(servers.register({ name: `own-${String(i)}`, jsonSpec }));
        expect(definition).toMatchObject({ code: 'INVALID_SPEC' });
        if (shape.place === 'variable') {
          const envSchema = [{ name: shape.name === '' ? 'VALUE' : shape.name, default: shape.value }];
          expect(await keep(servers.register({ name: `env-${String(i)}`, envSchema }))).toMatchObject({
            code: 'INVALID_SPEC',
          });
        }
      }
      const entries = shapes.map((shape, i) => [`read-${String(i)}`, entryOf(shape)]);
      await keep(importFleet(t.infra, { mcpServers: Object.fromEntries(entries) as unknown }));
      await t.settle();
      for (const row of (await store.instances.list({ limit: 500 })).items) shown.push(row);
      for (const row of (await store.servers.list({ limit: 500 })).items) shown.push(row);
      shown.push(await t.infra.export(), await instances.list(), t.recordedEvents(), t.logger.lines);
      const text = JSON.stringify(shown);
      for (const { place, name, value } of shapes) {
        const what = `${place} ${name} ${value}`;
        expect(text.includes(JSON.stringify(value).slice(1, -1)), what).toBe(false);
        expect(text.includes(encodeURIComponent(value)), what).toBe(false);
      }
      expect(text.includes('canary')).toBe(false);
    }),
    { numRuns: 12 },
  );
}, 120_000);

it('leaves what is none as it was given', async () => {
  const store = memoryStore();
  await using t = await threeKinds(store);
  for (const [i, shape] of plainShapes.entries()) {
    const jsonSpec = partOf(shape) as never;
    const { id } = await t.infra.instances
      .create({ name: `one-${String(i)}`, jsonSpec })
      .catch((error: unknown) => {
        // A reference where none may stand, and to the secret of nobody.
        if (shape.value.includes('secret_ref:')) return { id: null };
        throw new Error(`${shape.place} ${shape.name} ${shape.value}`, { cause: error });
      });
    if (id === null) continue;
    expect((await store.instances.get(id))?.jsonSpec).toEqual(jsonSpec);
  }
});
