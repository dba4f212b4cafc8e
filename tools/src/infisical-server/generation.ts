/** Which servers it answers like: one of September 2024, as it was seen, or later ones, as their source says. */
export type InfisicalGeneration = '2024-09' | 'newer';

/** What can be refused. */
export type Refusal =
  | 'bad-credentials'
  | 'forbidden-action'
  | 'invalid-input'
  | 'no-folder'
  | 'no-secret'
  | 'no-token'
  | 'not-in-project'
  | 'rate-limit'
  | 'secret-exists'
  | 'token-expired'
  | 'token-row-gone'
  | 'unknown-project'
  | 'unknown-route';

type Row = readonly [status: number, message: string | readonly string[], error: string];

const old: Readonly<Record<Refusal, Row>> = {
  'bad-credentials': [403, 'Invalid credentials', 'Unauthorized'],
  'forbidden-action': [401, 'You are not allowed to create on secrets', 'PermissionDenied'],
  'invalid-input': [403, ['Invalid input'], 'ValidationFailure'],
  'no-folder': [400, 'Folder not found for the given environment slug & secret path', 'BadRequest'],
  'no-secret': [400, 'Secret not found', 'BadRequest'],
  'no-token': [403, 'Token missing', 'Forbidden'],
  'not-in-project': [403, 'You are not allowed to access this resource', 'Forbidden'],
  'rate-limit': [429, 'Rate limit exceeded, retry in 1 minute', 'TooManyRequests'],
  'secret-exists': [400, 'Secret already exist', 'BadRequest'],
  'token-expired': [500, 'jwt expired', 'Internal Server Error'],
  'token-row-gone': [403, 'Failed to renew MI access token due to TTL expiration', 'Forbidden'],
  'unknown-project': [400, 'Project not found during bot lookup.', 'BadRequest'],
  'unknown-route': [404, 'Route not found', 'Not Found'],
};

const newer: Readonly<Record<Refusal, Row>> = {
  'bad-credentials': [401, 'Invalid credentials', 'UnauthorizedError'],
  'forbidden-action': [403, 'You are not allowed to create on secrets', 'PermissionDenied'],
  'invalid-input': [422, ['Invalid input'], 'ValidationFailure'],
  'no-folder': [404, "Folder with path '/' in environment with slug 'dev' not found", 'NotFound'],
  'no-secret': [404, "Secret with name 'X' not found", 'NotFound'],
  'no-token': [401, 'Token missing', 'UnauthorizedError'],
  'not-in-project': [403, 'You are not a member of this project', 'ForbiddenError'],
  'rate-limit': [429, 'Rate limit exceeded. Please try again in 60 seconds', 'RateLimitExceeded'],
  'secret-exists': [400, 'Secret already exist', 'BadRequest'],
  'token-expired': [403, 'Your token has expired. Please re-authenticate.', 'TokenError'],
  'token-row-gone': [401, 'Failed to renew MI access token due to TTL expiration', 'UnauthorizedError'],
  'unknown-project': [404, "Project with ID 'X' not found", 'NotFound'],
  'unknown-route': [404, 'Route not found', 'Not Found'],
};

/** The status and body with which a server of a generation refuses. */
export function refusalOf(
  generation: InfisicalGeneration,
  refusal: Refusal,
): { readonly status: number; readonly body: object } {
  const [status, message, error] = (generation === 'newer' ? newer : old)[refusal];
  const id = generation === 'newer' ? { reqId: 'req-0123456789' } : {};
  return { status, body: { ...id, statusCode: status, message, error } };
}
