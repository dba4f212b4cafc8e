import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const host = fileURLToPath(new URL('foreign-proc-host.mjs', import.meta.url));
const mayUnshare = process.platform === 'linux' && process.getuid?.() === 0;

interface Report {
  readonly outer: number;
  readonly inner: number;
  readonly ended: string;
  readonly line: { readonly ok: boolean; readonly message: string };
}

it.runIf(mayUnshare)('kills nobody whom the /proc of another pid namespace shows, and says so', async () => {
  const seconds = `${String(process.pid)}.779`;
  const inNamespace = ['--pid', '--fork', '--kill-child', process.execPath, host, seconds];
  const { stdout } = await promisify(execFile)('unshare', inNamespace, { timeout: 25_000 });
  const { outer, inner, ended, line } = JSON.parse(stdout) as Report;
  expect(inner).toBe(outer);
  expect(ended).toBe('SIGINT');
  expect(line.ok).toBe(false);
  expect(line.message).toContain('mount -t proc');
});
