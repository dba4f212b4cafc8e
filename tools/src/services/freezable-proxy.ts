import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Stands before a server, and can stop to carry anything while it still accepts connections. */
export interface FreezableProxy {
  /** The server's URL, through the proxy. */
  readonly url: string;
  /** How many connections clients hold. */
  connections(): number;
  freeze(): void;
  /** Carries again what comes over new connections; those that were there stay silent. */
  thaw(): void;
  close(): void;
}

/** Starts one before the server at a URL. */
export async function freezableProxy(serverUrl: string): Promise<FreezableProxy> {
  const target = new URL(serverUrl);
  const held = new Set<Socket>();
  const links = new Set<{ frozen: boolean }>();
  let frozen = false;
  const server = createServer((client) => {
    held.add(client);
    client.once('close', () => held.delete(client));
    client.on('error', () => undefined);
    // Its end is seen only where it is read.
    client.on('data', () => undefined);
    if (frozen) return;
    const link = { frozen: false };
    links.add(link);
    client.once('close', () => links.delete(link));
    const upstream = connect(Number(target.port), target.hostname);
    upstream.on('error', () => client.destroy());
    client.on('data', (chunk) => !link.frozen && upstream.write(chunk));
    upstream.on('data', (chunk) => !link.frozen && client.write(chunk));
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(serverUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    connections: () => held.size,
    freeze: () => {
      for (const link of links) link.frozen = true;
      frozen = true;
    },
    thaw: () => {
      frozen = false;
    },
    close: () => {
      for (const client of held) client.destroy();
      server.close();
    },
  };
}
