import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * Runs a simple query and returns the first column of its rows, one a line.
 *
 * Source: PostgreSQL, "Message Formats": a kind of one byte, a length that counts itself, the body.
 */
export async function query(url: string, sql: string): Promise<string> {
  const { port, username } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  try {
    await once(socket, 'connect');
    const startup = Buffer.from(`\0\x03\0\0user\0${username}\0database\0postgres\0\0`, 'latin1');
    socket.write(Buffer.concat([length(startup), startup]));
    await untilReady();
    const body = Buffer.from(`${sql}\0`);
    socket.write(Buffer.concat([Buffer.from('Q'), length(body), body]));
    return (await untilReady()).join('\n');
  } finally {
    socket.destroy();
  }

  async function untilReady(): Promise<string[]> {
    const rows: string[] = [];
    let rest = Buffer.alloc(0);
    for (;;) {
      const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(5_000) })) as [Buffer];
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 5 && rest.length > rest.readUInt32BE(1)) {
        const end = 1 + rest.readUInt32BE(1);
        const kind = rest.toString('latin1', 0, 1);
        if (kind === 'E') throw new Error(rest.toString('utf8', 5, end));
        if (kind === 'D') rows.push(firstColumn(rest.subarray(5, end)));
        rest = rest.subarray(end);
        if (kind === 'Z') return rows;
      }
    }
  }
}

function firstColumn(row: Buffer): string {
  return row.toString('utf8', 6, 6 + row.readUInt32BE(2));
}

function length(body: Buffer): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(body.length + 4);
  return bytes;
}
