import type { ServerResponse } from 'node:http';

const misbehaviours = {
  /** A login page of a proxy. */
  html: (res: ServerResponse) => {
    res.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Sign in</title>');
  },
  /** Never answers. */
  hang: () => undefined,
  /** Begins to answer and does not go on. */
  stall: (res: ServerResponse) => {
    res.writeHead(200, { 'content-type': 'application/json' }).write('{"secrets":[');
  },
  /** A little more now and then, without end. */
  trickle: (res: ServerResponse) => {
    res.writeHead(200, { 'content-type': 'application/json' }).write('{"secrets":[');
    const timer = setInterval(() => res.write(' '), 20);
    res.on('close', () => clearInterval(timer));
  },
  error: (res: ServerResponse) => {
    const body = { statusCode: 503, message: 'Something went wrong', error: 'InternalServerError' };
    res.writeHead(503, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  },
  /** Closes the connection. */
  reset: (res: ServerResponse) => {
    res.destroy();
  },
  redirect: (res: ServerResponse) => {
    res.writeHead(307, { location: 'https://login.example/' }).end();
  },
  /** Secrets without names and values. */
  malformed: (res: ServerResponse) => {
    const body = { secrets: [{ secretKey: '', secretValue: 'x' }, { secretKey: 'A' }, null] };
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  },
  /** 9 MB. */
  huge: (res: ServerResponse) => {
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ secrets: [], padding: 'x'.repeat(9_000_000) }));
  },
} as const satisfies Record<string, (res: ServerResponse) => void>;

/** Something a server, or what stands before it, should not do. */
export type InfisicalMisbehaviour = keyof typeof misbehaviours;

/** Answers a request in a way that serves nobody. */
export function misbehave(how: InfisicalMisbehaviour, res: ServerResponse): void {
  misbehaviours[how](res);
}
