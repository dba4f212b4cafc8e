// Forms whose last four bytes are an IPv4 address that packets really go to: mapped (RFC 4291, section 2.5.5.2) and
// NAT64 (RFC 6052).
const prefixes: readonly (readonly number[])[] = [
  [0, 0, 0, 0, 0, 0xffff],
  [0x64, 0xff9b, 0, 0, 0, 0],
];

/** Gives the IPv4 address that an IPv6 address carries, or `undefined`. */
export function carriedIPv4(address: string): string | undefined {
  const groups = groupsOf(address);
  const carries = prefixes.some((prefix) => prefix.every((group, index) => groups[index] === group));
  if (!carries) return undefined;
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}

/** Writes out the eight groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  // The URL parser writes a trailing dotted quad as two groups.
  const { hostname } = new URL(`http://[${address}]`);
  const [head = '', tail] = hostname.slice(1, -1).split('::');
  const before = numbersOf(head);
  const after = numbersOf(tail ?? '');
  const missing = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...new Array<number>(missing).fill(0), ...after];
}

function numbersOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}
