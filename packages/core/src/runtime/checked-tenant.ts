import { mcpError } from '../domain/errors/mcpinfra-error.js';

/** Takes the name of a tenant. @throws `INVALID_ARGUMENT` for whatever else came in its place */
export function checkedTenant(tenant: unknown): string {
  if (typeof tenant === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/u.test(tenant)) return tenant;
  const came = typeof tenant === 'string' ? JSON.stringify(tenant) : tenant === null ? 'null' : typeof tenant;
  throw mcpError(
    'INVALID_ARGUMENT',
    `A tenant is up to 100 letters, digits, ".", "_" and "-", not ${came}; it begins with a letter or digit.`,
  );
}
