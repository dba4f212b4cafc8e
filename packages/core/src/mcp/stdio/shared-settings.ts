const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

/**
 * What sessions asked of a server they share and that the server keeps for all of them: subscribed resources and the
 * log level.
 */
export class SharedSettings<Session> {
  readonly #subscribers = new Map<string, Set<Session>>();
  readonly #levels = new Map<Session, string>();

  /** Counts a subscription from when it is sent on, so that a session that leaves meanwhile does not end it. */
  subscribe(session: Session, uri: string): void {
    const subscribers = this.#subscribers.get(uri) ?? new Set<Session>();
    this.#subscribers.set(uri, subscribers.add(session));
  }

  /** Takes a subscription back; true when nobody is left and the server has to be told. */
  unsubscribe(session: Session, uri: string): boolean {
    const subscribers = this.#subscribers.get(uri);
    subscribers?.delete(session);
    if (subscribers !== undefined && subscribers.size > 0) return false;
    this.#subscribers.delete(uri);
    return true;
  }

  /** The sessions that hear of a resource: those that subscribed to it or to what it is a part of. */
  subscribersOf(uri: string): ReadonlySet<Session> {
    const found = new Set<Session>();
    for (const [subscribed, sessions] of this.#subscribers) {
      if (covers(subscribed, uri)) for (const session of sessions) found.add(session);
    }
    return found;
  }

  /** Notes the level a session asks for; returns the one to ask of the server: the lowest of all. */
  setLevel(session: Session, level: string): string {
    if (!levels.includes(level)) return level;
    this.#levels.set(session, level);
    return this.lowestLevel ?? level;
  }

  get lowestLevel(): string | undefined {
    return levels.find((level) => [...this.#levels.values()].includes(level));
  }

  /** Whether a session asked for log messages of this level. */
  wantsLog(session: Session, level: unknown): boolean {
    const asked = this.#levels.get(session);
    return asked !== undefined && typeof level === 'string' && levels.indexOf(level) >= levels.indexOf(asked);
  }

  /** Forgets a session; tells what has to be taken back from the server. */
  leave(session: Session): { readonly unsubscribe: readonly string[]; readonly level: string | undefined } {
    const before = this.lowestLevel;
    this.#levels.delete(session);
    const mine = [...this.#subscribers].filter(([, sessions]) => sessions.has(session)).map(([uri]) => uri);
    const after = this.lowestLevel;
    return {
      unsubscribe: mine.filter((uri) => this.unsubscribe(session, uri)),
      level: after === before ? undefined : after,
    };
  }
}

function covers(subscribed: string, uri: string): boolean {
  if (!uri.startsWith(subscribed)) return false;
  return (
    uri.length === subscribed.length ||
    subscribed.endsWith('/') ||
    ['/', '?', '#'].includes(uri.charAt(subscribed.length))
  );
}
