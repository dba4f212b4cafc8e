import { defineConfig } from 'tsup';
import { program } from '../tsup.base.js';

export default defineConfig({
  ...program({
    index: 'src/index.ts',
    vitest: 'src/vitest.ts',
    cli: 'src/cli/main.ts',
    'echo-server': 'src/echo-server/main.ts',
    'fixture-server': 'src/fixture-server/main.ts',
    'hostile-server': 'src/hostile-server/main.ts',
    'http-front': 'src/http-front/main.ts',
  }),
  dts: {
    entry: { index: 'src/index.ts', vitest: 'src/vitest.ts' },
    compilerOptions: { customConditions: [] },
  },
  // Each server is one file that needs nothing but Node, so that it can be the only other file of a container image.
  noExternal: [/^(?!(?:tar-stream|vitest)$)/],
  sourcemap: false,
  splitting: false,
});
