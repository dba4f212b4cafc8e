import type { Options } from 'tsup';

/** The one build every published package uses: ESM only, with types, one output file per public entry point. */
export function library(entry: Record<string, string>): Options {
  return {
    ...program(entry),
    // Declarations are made against the built packages, as a user's compiler sees them.
    // What is marked `@internal`, such as constructors that only core calls, is no part of them.
    dts: { compilerOptions: { customConditions: [], stripInternal: true } },
    splitting: true,
  };
}

/** A runnable program of this repository: the same build without declarations. */
export function program(entry: NonNullable<Options['entry']>): Options {
  return {
    entry,
    format: 'esm',
    target: 'node20',
    platform: 'node',
    sourcemap: true,
    // The sources are published beside it.
    esbuildOptions: (options) => {
      options.sourcesContent = false;
    },
    clean: true,
    silent: true,
    // tsup strips `node:` from imports by default.
    removeNodeProtocol: false,
  };
}
