import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type InfisicalGeneration, type Refusal, refusalOf } from './generation.js';
import { type InfisicalMisbehaviour, misbehave } from './misbehaviour.js';
import { answerRoute, type Asked } from './project-routes.js';
import { RateLimit } from './rate-limit.js';
import { SecretFolders } from './secret-folders.js';
import { type TokenEnd, Tokens } from './tokens.js';

export interface InfisicalServerOptions {
  /** @defaultValue '2024-09' */
  readonly generation?: InfisicalGeneration;
  /** @defaultValue 0, a free one */
  readonly port?: number;
  /** How long an access token lives. @defaultValue 600000 */
  readonly tokenLifeMs?: number;
}

/** One request that a server received. */
export interface InfisicalRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
}

/** How a server answers, to be changed at any time. */
export interface InfisicalControls {
  /** What is done instead of answering, the login included, and how often; for good unless it says. */
  misbehaviour: { readonly how: InfisicalMisbehaviour; times?: number } | undefined;
  /** What is refused, whoever asks. */
  refusal: 'not-in-project' | 'unknown-project' | undefined;
  isReadOnly: boolean;
  hidesValues: boolean;
  needsApproval: boolean;
  /** How long each answer takes. */
  delayMs: number;
}

/** A server that answers on the routes of Infisical's REST API as a real one does. */
export interface InfisicalServer {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly port: number;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly projectId: string;
  /** The slug of the environment that exists from the start; others exist as soon as they are asked for. */
  readonly environment: string;
  readonly controls: InfisicalControls;
  /** Everything received so far, in order. */
  readonly requests: readonly InfisicalRequest[];
  /** How many requests were under way at once at most. */
  readonly mostAtOnce: number;
  /** How many requests are under way. */
  readonly underWay: number;
  /** How many logins were asked for. */
  readonly logins: number;
  /** Another project's or environment's folders are its own. */
  folders(environment?: string, projectId?: string): SecretFolders;
  /** Admits so many requests of each route in a window, as servers of 2024 do with 40 a minute. */
  limitRate(limit: { readonly requests: number; readonly windowMs: number } | undefined): void;
  /** Ends every token: as its claim says, or only its row in the server's tables, which is said at its first use or never. */
  expireTokens(how?: TokenEnd): void;
  /** Makes a token as somebody else would have got it. */
  grantToken(): string;
  /** Closes all connections; its port then refuses. */
  stop(): Promise<void>;
}

/** Starts a server with Infisical's routes: Universal Auth, secrets (v3 raw) and folders. */
export async function startInfisicalServer(options: InfisicalServerOptions = {}): Promise<InfisicalServer> {
  const state = new ServerState(options);
  const server = createServer((req, res) => {
    state.handle(req, res).catch(() => res.destroy());
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    url: `http://127.0.0.1:${port}`,
    port,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  });
}

class ServerState {
  readonly clientId = 'machine-identity';
  readonly clientSecret = 'client-secret-canary';
  readonly projectId = 'project-1';
  readonly environment = 'dev';
  readonly requests: InfisicalRequest[] = [];
  mostAtOnce = 0;
  readonly controls: InfisicalControls = {
    misbehaviour: undefined,
    refusal: undefined,
    isReadOnly: false,
    hidesValues: false,
    needsApproval: false,
    delayMs: 0,
  };
  readonly #generation: InfisicalGeneration;
  readonly #tokens: Tokens;
  readonly #folders = new Map<string, SecretFolders>();
  #limit: RateLimit | undefined;
  underWay = 0;

  constructor({ generation = '2024-09', tokenLifeMs = 600_000 }: InfisicalServerOptions) {
    this.#generation = generation;
    this.#tokens = new Tokens(tokenLifeMs);
  }

  get logins(): number {
    return this.requests.filter(({ path }) => path.endsWith('/universal-auth/login')).length;
  }

  folders(environment = this.environment, projectId = this.projectId): SecretFolders {
    const key = JSON.stringify([projectId, environment]);
    const folders = this.#folders.get(key) ?? new SecretFolders();
    this.#folders.set(key, folders);
    return folders;
  }

  limitRate(limit: { readonly requests: number; readonly windowMs: number } | undefined): void {
    this.#limit = limit && new RateLimit(limit);
  }

  expireTokens(how: TokenEnd = 'token-expired'): void {
    this.#tokens.expireAll(how);
  }

  grantToken(): string {
    return this.#tokens.grant().accessToken;
  }

  async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '/', 'http://infisical');
    const query = Object.fromEntries(url.searchParams);
    const method = req.method ?? 'GET';
    this.requests.push({ method, path: url.pathname, query });
    this.underWay += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.underWay);
    res.on('close', () => (this.underWay -= 1));
    const fields = method === 'GET' ? query : fieldsOf(await text(req));
    if (this.controls.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.controls.delayMs));
    if (this.#misbehaved(res)) return;
    const waitMs = this.#limit?.admit(`${method} ${url.pathname.split('/').slice(0, 5).join('/')}`) ?? 0;
    if (waitMs > 0) {
      res.setHeader('retry-after', Math.ceil(waitMs / 1_000));
      this.#refuse(res, 'rate-limit');
      return;
    }
    this.#answer(res, { method, pathname: url.pathname, fields }, req.headers.authorization);
  }

  #answer(res: ServerResponse, asked: Asked, authorization: string | undefined): void {
    const { fields, pathname } = asked;
    if (pathname === '/api/v1/auth/universal-auth/login') {
      const isRight = fields['clientId'] === this.clientId && fields['clientSecret'] === this.clientSecret;
      // A stale header is refused before the credentials are looked at.
      const stale = authorization === undefined ? undefined : this.#tokens.refusal(authorization);
      if (!isRight || stale) this.#refuse(res, stale ?? 'bad-credentials');
      else send(res, 200, { ...this.#tokens.grant(), accessTokenMaxTTL: 2_592_000, tokenType: 'Bearer' });
      return;
    }
    const refusal = this.#tokens.refusal(authorization) ?? this.controls.refusal ?? this.#missing(fields);
    if (refusal) {
      this.#refuse(res, refusal);
      return;
    }
    const folders = this.folders(String(fields['environment']), String(fields['workspaceId']));
    const outcome = answerRoute(asked, { generation: this.#generation, folders, ...this.controls });
    if ('refusal' in outcome) this.#refuse(res, outcome.refusal);
    else send(res, 200, outcome.body);
  }

  #missing(fields: Asked['fields']): Refusal | undefined {
    const named = typeof fields['workspaceId'] === 'string' && typeof fields['environment'] === 'string';
    return named ? undefined : 'invalid-input';
  }

  #misbehaved(res: ServerResponse): boolean {
    const { misbehaviour } = this.controls;
    if (!misbehaviour || misbehaviour.times === 0) return false;
    if (misbehaviour.times !== undefined) misbehaviour.times -= 1;
    misbehave(misbehaviour.how, res);
    return true;
  }

  #refuse(res: ServerResponse, refusal: Refusal): void {
    const { status, body } = refusalOf(this.#generation, refusal);
    send(res, status, body);
  }
}

function fieldsOf(body: string): Readonly<Record<string, unknown>> {
  const value: unknown = body === '' ? {} : JSON.parse(body);
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function send(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}
