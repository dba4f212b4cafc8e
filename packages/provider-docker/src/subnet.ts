/** A range of IPv4 addresses. */
export interface Subnet {
  /** The first address as a number. */
  readonly first: number;
  readonly prefix: number;
}

/** Reads a subnet such as `10.201.0.0/16`; `undefined` for a text that is none. */
export function parseSubnet(text: string): Subnet | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/u.exec(text);
  if (!match) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, prefix = 0] = match.slice(1).map(Number);
  if ([a, b, c, d].some((part) => part > 255) || prefix > 32) return undefined;
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  return { first: address - (address % sizeOf(prefix)), prefix };
}

/** Writes a subnet as engines take it. */
export function formatSubnet({ first, prefix }: Subnet): string {
  const parts = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return `${parts.join('.')}/${String(prefix)}`;
}

/** Whether two subnets share an address. @internal */
export function overlaps(a: Subnet, b: Subnet): boolean {
  return a.first < b.first + sizeOf(b.prefix) && b.first < a.first + sizeOf(a.prefix);
}

/**
 * Finds the subnets of a pool that nothing in use overlaps, beginning somewhere within and going round once, so that
 * several hosts that ask at once are seldom given the same.
 *
 * @param wanted - the length of the prefix, and where to begin as a number from 0 to below 1
 */
export function* freeSubnets(
  pool: Subnet,
  wanted: { readonly prefix: number; readonly begin: number },
  used: readonly Subnet[],
): Generator<Subnet> {
  const { prefix } = wanted;
  const count = 2 ** Math.max(0, prefix - pool.prefix);
  const begin = Math.floor(wanted.begin * count);
  const near = used.filter((subnet) => overlaps(subnet, pool));
  for (let i = 0; i < count; i += 1) {
    const candidate: Subnet = { first: pool.first + ((begin + i) % count) * sizeOf(prefix), prefix };
    if (!near.some((subnet) => overlaps(subnet, candidate))) yield candidate;
  }
}

function sizeOf(prefix: number): number {
  return 2 ** (32 - prefix);
}
