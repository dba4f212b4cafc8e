import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    allowOnly: false,
    // One file after another: a dockerd that starts flushes the firewall chains of every other engine on the machine, and
    // tests of one file start engines while those of another make networks.
    fileParallelism: false,
    // One engine, if any test asks for one, for all files of a run.
    globalSetup: ['tools/src/services/test-run.ts'],
    projects: [
      {
        extends: true,
        // Next to the sources, and against them: no build needed.
        ssr: { resolve: { conditions: ['mcpinfra-source', 'module', 'node', 'development|production'] } },
        test: {
          name: 'unit',
          include: ['{packages/*,chaos,tools}/src/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['packages/*/test/types/**/*.test-d.ts'],
            tsconfig: 'tsconfig.types.json',
          },
        },
      },
      {
        extends: true,
        // Against the built packages, loaded by Node itself: a broken exports map fails here first.
        test: {
          name: 'integration',
          include: ['{packages/*,examples/*,bench,chaos,tools}/test/**/*.test.ts'],
          server: { deps: { external: [/\/dist\//] } },
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
    ],
  },
});
