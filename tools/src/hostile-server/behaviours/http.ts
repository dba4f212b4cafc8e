import type { Behaviour } from '../behaviour.js';
import type { HostileOptions } from '../options.js';

export function http500(): Behaviour {
  return {
    request(_req, res) {
      res.writeHead(500, { 'content-type': 'text/plain' }).end('Internal Server Error');
    },
  };
}

export function httpHtml(): Behaviour {
  return {
    request(_req, res) {
      res
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<!doctype html><title>Welcome</title><h1>It works!</h1>');
    },
  };
}

export function http401(): Behaviour {
  return {
    request(req, res) {
      const metadata = `http://${req.headers.host ?? 'localhost'}/.well-known/oauth-protected-resource`;
      const challenge = `Bearer error="invalid_token", resource_metadata="${metadata}", scope="tools"`;
      res.writeHead(401, { 'content-type': 'application/json', 'www-authenticate': challenge });
      res.end(JSON.stringify({ error: 'invalid_token' }));
    },
  };
}

export function httpHang(): Behaviour {
  return {
    request(req) {
      req.resume();
    },
  };
}

export function httpRedirect({ url = 'http://127.0.0.1:9/mcp' }: HostileOptions): Behaviour {
  return {
    request(_req, res) {
      // 307 keeps the method and the body.
      res.writeHead(307, { location: url }).end();
    },
  };
}
