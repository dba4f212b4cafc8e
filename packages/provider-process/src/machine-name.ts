import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';

/** Names this machine, the same after a restart of it. */
export async function machineName(): Promise<string> {
  const id = await readFile('/etc/machine-id', 'utf8').catch(() => '');
  const name = id.trim() === '' ? hostname() : id.trim();
  // The machine's id is confidential (machine-id(5)).
  return createHash('sha256').update(`mcpinfra placement\n${name}`).digest('hex').slice(0, 16);
}
