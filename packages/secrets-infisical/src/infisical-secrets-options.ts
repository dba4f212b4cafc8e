import { OptionChecks, Secret, type SecretContext, type SecretReference } from '@mcpinfra/core/plugin';
import { isFolderPath } from './mapping/folder-path.js';

/** Options of {@link infisicalSecrets}. */
export type InfisicalSecretsOptions = InfisicalSecretsSettings & InfisicalCredentials;

/** As whom Infisical is asked: a machine identity with Universal Auth, or a token that was made elsewhere. */
export type InfisicalCredentials =
  | {
      /** The client id of the machine identity. */
      readonly clientId: string;
      /** Its client secret. */
      readonly clientSecret: string | Secret;
      readonly token?: undefined;
    }
  | {
      /**
       * An access token, or what gives the current one: a function is asked again when its token is refused.
       */
      readonly token: string | Secret | (() => string | Secret | Promise<string | Secret>);
      readonly clientId?: undefined;
      readonly clientSecret?: undefined;
    };

/** Options of {@link infisicalSecrets} besides the credentials. */
export interface InfisicalSecretsSettings {
  /** Where Infisical is, such as `https://secrets.example`. There is no default: credentials go nowhere by accident. */
  readonly siteUrl: string;
  /** The id of the project, unless `locate` names another. */
  readonly projectId: string;
  /** The slug of the environment, unless `locate` names another. */
  readonly environment: string;
  /** The folder in which each scope has its own. @defaultValue '/instances' */
  readonly basePath?: string | undefined;
  /**
   * Gives the folder of a scope, or `undefined` for a scope that is none of Infisical's business. Is told who asks: the
   * instance, its tenant and the principal, all empty for what core keeps for itself in the scope `mcpinfra`.
   *
   * Only a folder whose path holds the scope's name is written to: another one may be shared by several scopes, of which
   * `deleteScope` must delete one.
   *
   * @defaultValue `<basePath>/<scope>` of the project and environment above
   */
  readonly locate?: ((scope: string, context: SecretContext) => InfisicalFolder | undefined) | undefined;
  /**
   * Gives the name of a secret within its folder. Names of your own do not tell the keys, so that what a host which died
   * left behind stays until its instance is deleted. @defaultValue the key
   */
  readonly secretName?: ((reference: SecretReference) => string) | undefined;
  /** Whether the server replaces `${…}` in values by the secrets they name, of other folders too. @defaultValue false */
  readonly expandReferences?: boolean | undefined;
  /**
   * How long the secrets of a folder are given again without asking. What was changed elsewhere is seen that much later, so
   * a rotation can be missed by the start it causes.
   *
   * @defaultValue 0, none
   */
  readonly cacheTtlMs?: number | undefined;
  /** Of how many folders secrets are kept at most, those used last. @defaultValue 1 000 */
  readonly cacheMaxFolders?: number | undefined;
  /** How long a call may take with everything it needs: logging in, waiting, trying again. @defaultValue 15 000 */
  readonly timeoutMs?: number | undefined;
  /** How long one request may be without an answer, or its answer without going on. @defaultValue 5 000 */
  readonly requestTimeoutMs?: number | undefined;
  /** How often a request is sent at most when the server is away, busy or broken. @defaultValue 4 */
  readonly maxAttempts?: number | undefined;
  /** How many requests are under way at once. @defaultValue 8 */
  readonly maxConnections?: number | undefined;
}

/** A folder of Infisical. */
export interface InfisicalFolder {
  /** Such as `/instances/fs-1`. */
  readonly path: string;
  /** @defaultValue the one of the options */
  readonly projectId?: string | undefined;
  /** @defaultValue the one of the options */
  readonly environment?: string | undefined;
}

/** What gives a token: who logs in, or who is asked. */
export type TokenSource =
  | { readonly kind: 'universal'; readonly clientId: string; readonly clientSecret: Secret }
  | { readonly kind: 'token'; readonly give: () => string | Secret | Promise<string | Secret> };

type Numbers = {
  readonly [K in keyof typeof numbers]: number;
};

/** The options with nothing left open. */
export interface ResolvedOptions extends Numbers {
  /** Ends without a slash. */
  readonly siteUrl: string;
  readonly tokenSource: TokenSource;
  readonly projectId: string;
  readonly environment: string;
  readonly basePath: string;
  readonly locate: InfisicalSecretsSettings['locate'];
  readonly secretName: InfisicalSecretsSettings['secretName'];
  readonly expandReferences: boolean;
}

const numbers = {
  cacheTtlMs: 0,
  cacheMaxFolders: 1_000,
  timeoutMs: 15_000,
  requestTimeoutMs: 5_000,
  maxAttempts: 4,
  maxConnections: 8,
};

const check = new OptionChecks('infisicalSecrets');
const known = [
  ...['siteUrl', 'clientId', 'clientSecret', 'token', 'projectId', 'environment'],
  ...['basePath', 'locate', 'secretName', 'expandReferences'],
  ...Object.keys(numbers),
];

/** Checks the options. @throws `INVALID_OPTIONS` */
export function resolveOptions(options: InfisicalSecretsOptions): ResolvedOptions {
  check.known(options, known);
  const { basePath = '/instances', locate, secretName, expandReferences = false } = options;
  for (const [name, value] of Object.entries({ locate, secretName })) {
    if (value !== undefined && typeof value !== 'function') throw check.unexpected(name, 'a function', value);
  }
  if (!isFolderPath(basePath)) throw check.wrong('expected basePath to be like /team/instances');
  if (typeof expandReferences !== 'boolean')
    throw check.wrong('expected expandReferences to be true or false');
  return Object.freeze({
    siteUrl: siteUrl(options.siteUrl),
    tokenSource: tokenSource(options),
    projectId: check.text('projectId', options.projectId),
    environment: check.text('environment', options.environment),
    basePath,
    locate,
    secretName,
    expandReferences,
    ...resolveNumbers(options),
  });
}

function resolveNumbers(options: InfisicalSecretsSettings): Numbers {
  const resolved = { ...numbers };
  for (const name of Object.keys(numbers) as (keyof Numbers)[]) {
    const value = options[name];
    if (value === undefined) continue;
    resolved[name] = check.whole(name, value, { least: name === 'cacheTtlMs' ? 0 : 1 });
  }
  return resolved;
}

// Hosts in plain JavaScript have no compiler to tell them. What came is not repeated where it may hold a credential.
function siteUrl(given: unknown): string {
  const url = typeof given === 'string' && URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !/^https?:$/u.test(url.protocol) || url.username + url.password + url.search + url.hash !== '')
    throw check.wrong('expected siteUrl to be like https://secrets.example, without credentials and query');
  return url.href.replace(/\/+$/u, '');
}

function tokenSource(options: { readonly [K in keyof InfisicalCredentials]?: unknown }): TokenSource {
  const { clientId, clientSecret, token } = options;
  if (token === undefined) {
    const secret =
      clientSecret instanceof Secret ? clientSecret : new Secret(hidden('clientSecret', clientSecret));
    return { kind: 'universal', clientId: check.text('clientId', clientId), clientSecret: secret };
  }
  if (clientId !== undefined || clientSecret !== undefined)
    throw check.wrong('expected either token, or clientId and clientSecret');
  if (typeof token === 'function') return { kind: 'token', give: token as () => string };
  const constant = token instanceof Secret ? token : new Secret(hidden('token', token));
  return { kind: 'token', give: () => constant };
}

function hidden(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw check.wrong(`expected ${name} to be a text that is not empty, or a Secret`);
}
