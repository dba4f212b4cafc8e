import { readFile } from 'node:fs/promises';
import type { Subnet } from './subnet.js';

/** The subnets this machine has routes to, the default route left out; none where the system does not tell. */
export async function hostRoutes(): Promise<Subnet[]> {
  const table = await readFile('/proc/net/route', 'utf8').catch(() => '');
  const routes: Subnet[] = [];
  for (const line of table.split('\n').slice(1)) {
    const fields = line.split('\t');
    const first = littleEndian(fields[1]);
    const mask = littleEndian(fields[7]);
    if (first === undefined || mask === undefined || mask === 0) continue;
    routes.push({ first, prefix: 32 - Math.round(Math.log2(2 ** 32 - mask)) });
  }
  return routes;
}

function littleEndian(hex: string | undefined): number | undefined {
  if (hex === undefined || !/^[0-9A-F]{8}$/iu.test(hex)) return undefined;
  return Buffer.from(hex, 'hex').readUInt32LE();
}
