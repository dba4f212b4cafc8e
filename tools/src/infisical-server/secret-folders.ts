/** What the server does to every value that is written, before it keeps it. */
function asKept(value: string): string {
  return value.endsWith('\n') ? `${value.trim()}\n` : value.trim();
}

/** The folders and secrets of one environment, by path and name. */
export class SecretFolders {
  readonly #folders = new Map<string, Map<string, string>>([['/', new Map()]]);

  /** The secrets of a folder, if it is there. */
  at(path: string): ReadonlyMap<string, string> | undefined {
    return this.#folders.get(path);
  }

  paths(): readonly string[] {
    return [...this.#folders.keys()];
  }

  /** Makes a folder and those above it. */
  create(path: string): void {
    const names = path.split('/').filter((name) => name !== '');
    for (const depth of names.keys()) {
      const each = `/${names.slice(0, depth + 1).join('/')}`;
      if (!this.#folders.has(each)) this.#folders.set(each, new Map());
    }
  }

  set(path: string, name: string, value: string): void {
    this.#folders.get(path)?.set(name, asKept(value));
  }

  remove(path: string, name: string): boolean {
    return this.#folders.get(path)?.delete(name) ?? false;
  }

  /** A value with `${NAME}` replaced by a secret of the same folder, and `${environment.folder.NAME}` by one of another. */
  expanded(path: string, value: string): string {
    return value.replaceAll(/\$\{([^}]+)\}/gu, (whole, reference: string) => {
      const parts = reference.split('.');
      const name = parts.pop() ?? '';
      const folder = parts.length === 0 ? path : `/${parts.slice(1).join('/')}`;
      return this.#folders.get(folder)?.get(name) ?? whole;
    });
  }
}
