/**
 * Reads variables of the host that are handed on to servers; a name that is not set is left out.
 *
 * The one place of the package that reads the host's environment.
 */
export function hostEnvironment(names: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    // eslint-disable-next-line n/no-process-env -- handing these on is what the host asked for
    const value = process.env[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}
