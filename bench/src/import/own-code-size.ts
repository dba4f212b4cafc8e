import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/**
 * Measures the code that importing a built module evaluates, without that of other packages and without what is imported
 * later: minified and compressed, in kB.
 */
export async function ownCodeSize(entry: string): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    write: false,
    logLevel: 'error',
    plugins: [
      {
        name: 'later-imports-stay-out',
        setup(bundler) {
          bundler.onResolve({ filter: /.*/ }, ({ kind, path }) =>
            kind === 'dynamic-import' ? { path, external: true } : undefined,
          );
        },
      },
    ],
  });
  return gzipSync(outputFiles.map(({ text }) => text).join('\n')).length / 1_000;
}
