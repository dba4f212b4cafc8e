import { loadedModules } from '@mcpinfra/tools';
import { expect, it } from 'vitest';

it('loads none of its larger dependencies when it is imported, so that hosts pay for what they use', async () => {
  const modules = await loadedModules(new URL('../dist/index.js', import.meta.url).href);
  const packages = modules.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//u.exec(url)?.[1] ?? []);
  expect(new Set(packages)).toEqual(new Set(['eventemitter3']));
});
