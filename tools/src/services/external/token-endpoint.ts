import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { externalCredentials, readBasic } from './credentials.js';

/** The token endpoint of OAuth's client credentials grant, and the tokens it gave out. */
export class TokenEndpoint {
  /** The bodies of all requests, refused ones too. */
  readonly requests: Readonly<Record<string, string>>[] = [];
  readonly #lifetimeMs: number;
  readonly #expiries = new Map<string, number>();

  constructor(lifetimeMs: number) {
    this.#lifetimeMs = lifetimeMs;
  }

  accepts(authorization: string | undefined): boolean {
    const token = authorization?.replace(/^Bearer /i, '') ?? '';
    return (this.#expiries.get(token) ?? 0) > Date.now();
  }

  /** Makes every token given out so far worth nothing, as if the server had forgotten them. */
  revokeAll(): void {
    this.#expiries.clear();
  }

  async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const form = Object.fromEntries(new URLSearchParams(await text(req)));
    this.requests.push(form);
    const { clientId, clientSecret } = externalCredentials;
    const basic = readBasic(req.headers.authorization)?.map(decodeURIComponent);
    const [id, secret] = basic ?? [form['client_id'], form['client_secret']];
    if (id !== clientId || secret !== clientSecret) {
      answer(res, 401, { error: 'invalid_client' });
    } else if (form['grant_type'] !== 'client_credentials') {
      answer(res, 400, { error: 'unsupported_grant_type' });
    } else {
      const token = randomUUID();
      this.#expiries.set(token, Date.now() + this.#lifetimeMs);
      answer(res, 200, {
        access_token: token,
        token_type: 'Bearer',
        expires_in: Math.max(1, Math.floor(this.#lifetimeMs / 1000)),
        scope: form['scope'],
      });
    }
  }
}

function answer(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  res.end(JSON.stringify(body));
}
