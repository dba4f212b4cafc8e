import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { findProgram } from './find-program.js';
import { withMachineLock } from './machine-lock.js';
import { ServiceUnavailable } from './service-unavailable.js';

const policyFile = '/usr/sbin/policy-rc.d';

interface AptInstall {
  readonly packages: readonly string[];
  /** The program the packages bring: when it is there by now, another process has installed it. */
  readonly program: () => Promise<string | undefined>;
}

/**
 * Installs Debian packages without starting the daemons they bring, and returns where their program is.
 *
 * @throws ServiceUnavailable where there is no apt-get, no root, or no such package.
 */
export async function aptInstall(service: string, { packages, program }: AptInstall): Promise<string> {
  if ((await findProgram('apt-get')) === undefined || process.getuid?.() !== 0) {
    throw new ServiceUnavailable(service, `install ${packages.join(' and ')}, or run on Debian as root`);
  }
  return await withMachineLock('apt', async () => {
    const existing = await program();
    if (existing !== undefined) return existing;
    const restore = await forbidDaemons();
    try {
      await apt(service, ['update']);
      await apt(service, ['install', '-y', '--no-install-recommends', ...packages]);
    } finally {
      await restore();
    }
    const installed = await program();
    if (installed === undefined) {
      throw new ServiceUnavailable(service, `${packages.join(' and ')} brought no program`);
    }
    return installed;
  });
}

/** Debian asks this file before a package starts its daemon; one that is there already is the machine's own decision. */
async function forbidDaemons(): Promise<() => Promise<void>> {
  try {
    await writeFile(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return async () => {};
    throw cause;
  }
  return async () => rm(policyFile, { force: true });
}

async function apt(service: string, argv: readonly string[]): Promise<void> {
  const child = spawn('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...argv], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-2_000)));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === 0) return;
  throw new ServiceUnavailable(service, `apt-get ${argv.join(' ')} failed with ${String(code)}:\n${output}`);
}
