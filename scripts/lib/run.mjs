import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './workspaces.mjs';

/**
 * Runs a program to its end and returns its exit code.
 *
 * `quiet` holds the output back and prints it only when the program fails.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, quiet?: boolean }} [options]
 */
export function run(command, args, { cwd = root, env = {}, quiet = false } = {}) {
  const { error, status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
    maxBuffer: Infinity,
    // npm is a batch file on Windows, which only a shell can start.
    shell: process.platform === 'win32' && command === 'npm',
  });
  if (error) throw error;
  if (quiet && status !== 0) {
    process.stdout.write(stdout);
    process.stderr.write(stderr);
  }
  return status ?? 1;
}

/**
 * Like {@link run}, and ends this process with the same exit code when the program fails.
 * @param {Parameters<typeof run>} args
 */
export function must(...args) {
  const status = run(...args);
  if (status !== 0) process.exit(status);
}

/**
 * The command line that runs a script of an installed dependency.
 * @param {string} script path below node_modules
 * @param {readonly string[]} args
 * @returns {[string, string[]]}
 */
export function node(script, args) {
  return [process.execPath, [join(root, 'node_modules', script), ...args]];
}

/**
 * The command line and options that run tasks of the packages through turbo, cached, without network or telemetry.
 * @param {readonly string[]} args
 * @param {{ quiet?: boolean }} [options]
 * @returns {Parameters<typeof run>}
 */
export function turbo(args, { quiet = false } = {}) {
  const env = {
    npm_config_loglevel: 'silent',
    DO_NOT_TRACK: '1',
    TURBO_TELEMETRY_DISABLED: '1',
    TURBO_NO_UPDATE_NOTIFIER: '1',
  };
  const flags = [
    '--cache=local:rw',
    '--output-logs=errors-only',
    '--log-order=grouped',
    '--continue=dependencies-successful',
    '--concurrency=2',
  ];
  return [...node('turbo/bin/turbo', ['run', ...args, ...flags]), { env, quiet }];
}
