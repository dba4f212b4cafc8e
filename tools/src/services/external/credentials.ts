/** What the checked paths of an external server accept. */
export const externalCredentials = {
  token: 'external-token',
  username: 'external-user',
  // A colon, which only the first of divides a basic credential.
  password: 'external:password',
  headerName: 'x-api-key',
  headerValue: 'external-key',
  clientId: 'external-client',
  clientSecret: 'external-client-secret',
} as const;

/** Reads `Authorization: Basic`; undefined when it is none. */
export function readBasic(authorization: string | undefined): [name: string, secret: string] | undefined {
  const [, encoded] = /^Basic (\S+)$/i.exec(authorization ?? '') ?? [];
  if (encoded === undefined) return undefined;
  const [name = '', ...secret] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return [name, secret.join(':')];
}
