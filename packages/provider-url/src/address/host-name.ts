/** Writes a host as URLs do, without a final dot: lower case, international names encoded, odd IPv4 forms as four numbers. */
export function hostName(host: string): string | undefined {
  if (!URL.canParse(`http://${host}`)) return undefined;
  const { hostname } = new URL(`http://${host}`);
  const name = hostname.replace(/\.$/u, '');
  return name === '' ? undefined : name;
}

/** The port a URL means. */
export function portOf({ port, protocol }: { readonly port: string; readonly protocol: string }): string {
  return port === '' ? (protocol === 'https:' ? '443' : '80') : port;
}
