import type { MCPInfraError } from '@mcpinfra/core/plugin';
import type { TokenSource } from '../infisical-secrets-options.js';
import type { Folder } from '../mapping/locations.js';
import { type Answer, isAboutToken, isAbsent, isSuccess } from './answer.js';
import type { Ask, RouteName } from './ask.js';
import { failure } from './failure.js';

const doing: Readonly<Record<RouteName, string>> = {
  login: 'log in',
  list: 'read secrets',
  create: 'create secrets',
  update: 'edit secrets',
  remove: 'delete secrets',
  folder: 'create folders',
};

/** Makes the error of an answer to an identity that does not serve, with what to do about it. */
export function refusal(of: {
  readonly ask: Ask;
  readonly folder: Folder;
  readonly answer: Answer;
  readonly siteUrl: string;
  readonly tokenKind: TokenSource['kind'];
}): MCPInfraError {
  const { answer, siteUrl } = of;
  const { status, body } = answer;
  const { projectId, environment, path } = of.folder;
  const act = doing[of.ask.route];
  const where = `${path} of environment ${environment} in project ${projectId}`;
  const requestId = body?.['reqId'];
  const details = {
    ...{ status, projectId, environment, path },
    // By it the server's own logs tell more.
    ...(typeof requestId === 'string' && /^[\w-]{1,64}$/u.test(requestId) && { requestId }),
  };
  if (isAboutToken(answer)) {
    const remedy =
      of.tokenKind === 'token'
        ? 'give infisicalSecrets a token that has not expired or been revoked'
        : 'check the life, the number of uses and the trusted addresses that the identity allows its tokens';
    return failure(
      'token-refused',
      `Infisical at ${siteUrl} refused the access token (status ${String(status)}): ${remedy}.`,
      details,
    );
  }
  // Servers of 2024 say 403 for what is malformed too, with a list of what is wrong.
  if ((status === 401 || status === 403) && !Array.isArray(body?.['message'])) {
    const remedy = `add it to the project with a role that may ${act} there`;
    return failure(
      'forbidden',
      `The machine identity may not ${act} in ${where} (status ${String(status)}): ${remedy}.`,
      details,
    );
  }
  if (isAbsent(answer) && body) {
    const remedy = 'check projectId and environment, and that both exist for this identity';
    return failure(
      'not-found',
      `Infisical could not ${act} in ${where} (status ${String(status)}): ${remedy}.`,
      details,
    );
  }
  if (isSuccess(answer) || isAbsent(answer) || (status >= 300 && status < 400)) {
    const what = status >= 300 && status < 400 ? 'a redirect' : 'something that is no answer of its API';
    const remedy = 'check that siteUrl is where Infisical is, with no login page before it';
    return failure(
      'unexpected-answer',
      `${siteUrl} answered with ${what} (status ${String(status)}): ${remedy}.`,
      details,
    );
  }
  return failure(
    'refused',
    `Infisical would not ${act} in ${where} (status ${String(status)}): see the logs of its server.`,
    details,
  );
}
