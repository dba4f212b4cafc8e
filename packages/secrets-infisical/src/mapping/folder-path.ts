/** Tells whether Infisical could have a folder there. A path that leads up, or nowhere, it answers with an empty list. */
export function isFolderPath(path: unknown): path is string {
  return typeof path === 'string' && /^(?:\/|(?:\/[A-Za-z0-9_-]+)+)$/u.test(path);
}
