import { randomUUID } from 'node:crypto';
import type { Refusal } from './generation.js';

/** How it shows that a token has ended. */
export type TokenEnd = Extract<Refusal, 'not-in-project' | 'token-expired' | 'token-row-gone'>;

interface Row {
  untilMs: number;
  /** Servers of 2024 say why a token is dead once, and then only that nothing is allowed. */
  lastRefusal: Refusal | undefined;
}

/** The access tokens a server gave out. */
export class Tokens {
  readonly #rows = new Map<string, Row>();
  readonly #lifeMs: number;

  constructor(lifeMs: number) {
    this.#lifeMs = lifeMs;
  }

  grant(): { readonly accessToken: string; readonly expiresIn: number } {
    const accessToken = `eyJhbGciOiJIUzI1NiJ9.${Buffer.from(randomUUID()).toString('base64url')}.c2lnbmF0dXJl`;
    this.#rows.set(accessToken, { untilMs: Date.now() + this.#lifeMs, lastRefusal: undefined });
    return { accessToken, expiresIn: this.#lifeMs / 1_000 };
  }

  /** Ends every token given out so far: as its own claim says, or by its row in the server's tables only. */
  expireAll(how: TokenEnd): void {
    for (const row of this.#rows.values()) row.lastRefusal = how;
  }

  /** Says why a request with this header is refused, or nothing. */
  refusal(authorization: string | undefined): Refusal | undefined {
    if (authorization === undefined) return 'no-token';
    const row = this.#rows.get(authorization.replace(/^Bearer /u, ''));
    if (!row) return 'token-row-gone';
    const dead = row.lastRefusal ?? (Date.now() >= row.untilMs ? 'token-expired' : undefined);
    if (dead === 'token-row-gone') row.lastRefusal = 'not-in-project';
    return dead;
  }
}
