import { MCPInfraError, mcpError, type SecretBundle } from '@mcpinfra/core/plugin';
import type { OAuth2ClientCredentials } from '../url-spec.js';
import { request, type Dispatcher } from 'undici';

/** A token that an authorization server gave. */
export interface GrantedToken {
  readonly value: string;
  /** How long it is good; `Infinity` when the server does not say. */
  readonly lifeMs: number;
}

const maxAnswerLength = 262_144;
const longestMs = 30_000;

/**
 * Asks an authorization server for a token by the client credentials grant (RFC 6749, section 4.4).
 *
 * The client shows itself by HTTP Basic, which every server has to support (section 2.3.1), and to one that refuses
 * that by the fields of the form.
 *
 * @throws `UNAUTHORIZED` when the credentials are refused; `TOKEN_REQUEST_FAILED` for whatever else gives no token
 */
export async function requestToken(
  grant: OAuth2ClientCredentials,
  secrets: SecretBundle,
  dispatcher: Dispatcher,
): Promise<GrantedToken> {
  const url = new URL(grant.token_url);
  const text = (value: string): string => secrets.render(value).reveal();
  const id = text(grant.client_id);
  const secret = text(grant.client_secret);
  const form = new URLSearchParams({ grant_type: 'client_credentials' });
  for (const name of ['scope', 'audience', 'resource'] as const) {
    if (grant[name] !== undefined) form.set(name, text(grant[name]));
  }
  const basic = Buffer.from(`${formEncoded(id)}:${formEncoded(secret)}`).toString('base64');
  const answer = await post(url, { form, headers: { authorization: `Basic ${basic}` }, dispatcher });
  if (answer.status !== 401 && answer.body['error'] !== 'invalid_client') return tokenIn(answer, url);
  form.set('client_id', id);
  form.set('client_secret', secret);
  return tokenIn(await post(url, { form, headers: {}, dispatcher }), url);
}

interface Answer {
  readonly status: number;
  /** Empty when the answer was no JSON object. */
  readonly body: Readonly<Record<string, unknown>>;
}

async function post(
  url: URL,
  ask: {
    readonly form: URLSearchParams;
    readonly headers: Readonly<Record<string, string>>;
    readonly dispatcher: Dispatcher;
  },
): Promise<Answer> {
  const { form, headers, dispatcher } = ask;
  const type = 'application/x-www-form-urlencoded';
  try {
    const { statusCode: status, body } = await request(url, {
      method: 'POST',
      headers: { 'content-type': type, accept: 'application/json', ...headers },
      body: form.toString(),
      dispatcher,
      signal: AbortSignal.timeout(longestMs),
    });
    let text = '';
    for await (const chunk of body.setEncoding('utf8') as AsyncIterable<string>) {
      text += chunk;
      if (text.length > maxAnswerLength) break;
    }
    return { status, body: objectIn(text) };
  } catch (error) {
    // What refuses to connect says best itself why.
    if (MCPInfraError.isInstance(error)) throw error;
    const { code, name } = error as NodeJS.ErrnoException;
    throw failed(url, `could not be reached (${typeof code === 'string' ? code : name})`, error);
  }
}

function tokenIn({ status, body }: Answer, url: URL): GrantedToken {
  const { access_token: value, token_type: type, expires_in: seconds, error } = body;
  // Only codes of the specification are repeated: a text of the server could hold what it was sent.
  const said = typeof error === 'string' && /^[a-z_]{1,40}$/u.test(error) ? `, ${error}` : '';
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
    throw mcpError(
      'UNAUTHORIZED',
      `The token endpoint ${shown(url)} refused the client credentials (status ${String(status)}${said}).`,
      { details: { tokenEndpoint: shown(url) } },
    );
  }
  if (status < 200 || status >= 300) throw failed(url, `answered with status ${String(status)}${said}`);
  if (typeof value !== 'string' || value === '')
    throw failed(url, 'answered without an access_token in a JSON object');
  if (typeof type === 'string' && type.toLowerCase() !== 'bearer')
    throw failed(url, 'gave a token that is not of the type Bearer');
  const life = Number(seconds);
  return { value, lifeMs: life > 0 ? life * 1_000 : Infinity };
}

function failed(url: URL, how: string, cause?: unknown): MCPInfraError {
  return mcpError('TOKEN_REQUEST_FAILED', `The token endpoint ${shown(url)} ${how}.`, { cause });
}

/** The address without what may be secret in it. */
function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Encodes one value of a form, as RFC 6749 asks of both parts of Basic credentials. */
function formEncoded(value: string): string {
  return new URLSearchParams([['', value]]).toString().slice(1);
}
