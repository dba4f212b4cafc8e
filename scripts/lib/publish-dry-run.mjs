import { spawnSync } from 'node:child_process';

/** What a package may consist of. */
const wanted = [
  /^(package\.json|LICENSE|[A-Z]+\.md)$/,
  /^dist\/.+\.(js|d\.ts|js\.map)$/,
  /^src\/(?!.*\.test\.ts$).+\.ts$/,
];
const required = ['LICENSE', 'README.md', 'dist/'];

// Said of every dry run without credentials, and of nothing that is wrong with the package.
const notLoggedIn = /requires you to be logged in/;

/**
 * Lets npm publish a package without doing it, and tells how large it is and everything that is wrong with it.
 *
 * Asks no registry.
 * @param {string} directory
 * @returns {{ kB: number, faults: string[] }}
 */
export function publishDryRun(directory) {
  const args = ['publish', '--dry-run', '--json', '--offline'];
  const { status, stdout, stderr } = spawnSync('npm', args, {
    cwd: directory,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status !== 0) return { kB: 0, faults: [stderr.trim()] };
  const warnings = stderr.split('\n').filter((line) => /^npm warn publish/i.test(line));
  /** @type {Record<string, { size: number, files: { path: string }[] }>} */
  const published = JSON.parse(stdout);
  const [size = 0] = Object.values(published).map(({ size }) => size);
  const paths = Object.values(published).flatMap(({ files }) => files.map(({ path }) => path));
  return {
    kB: size / 1_000,
    faults: [
      ...warnings.filter((line) => !notLoggedIn.test(line)),
      ...required
        .filter((name) => !paths.some((path) => path.startsWith(name)))
        .map((name) => `${name} is missing`),
      ...paths
        .filter((path) => !wanted.some((pattern) => pattern.test(path)))
        .map((path) => `${path} does not belong into a package`),
    ],
  };
}
