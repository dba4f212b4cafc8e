import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Lists the files, as URLs, that importing a module evaluates in a fresh process: its own and those of packages. */
export async function loadedModules(url: string): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'mcpinfra-loaded-'));
  try {
    // The coverage report names every script that ran, CommonJS too, whatever has loaded it.
    await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', `import ${JSON.stringify(url)}`],
      {
        env: { ...process.env, NODE_V8_COVERAGE: folder },
      },
    );
    const reports = await Promise.all(
      (await readdir(folder)).map(async (name) => readFile(join(folder, name), 'utf8')),
    );
    const scripts = reports.flatMap((text) => (JSON.parse(text) as { result: { url: string }[] }).result);
    return scripts.map((script) => script.url).filter((script) => /^file:.*\.[cm]?js$/u.test(script));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
