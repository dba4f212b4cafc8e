/**
 * A connection pool of the host: `Pool` of `pg` 8, or what is shaped like it.
 *
 * The store takes a client for each call and gives it back; it never ends the pool.
 */
export interface PostgresPool {
  connect(): Promise<PostgresPoolClient>;
  /** What its connections are made with; the store opens one more of its own with it. */
  readonly options?: object;
  on?(event: 'error', listener: (error: Error) => void): unknown;
  removeListener?(event: 'error', listener: (error: Error) => void): unknown;
}

/** A client of a {@link PostgresPool}. */
export interface PostgresPoolClient {
  query(query: PostgresQuery): Promise<PostgresResult>;
  /** Gives it back; with `true` its connection is closed instead. */
  release(destroy?: boolean): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
  /** Its socket, which clients of `pg` have: a server that does not answer lets no goodbye through. */
  readonly connection?: { readonly stream?: { destroy?(): unknown } } | undefined;
}

/** What `pg` gives for a query. */
export interface PostgresResult {
  readonly rows: readonly unknown[];
  /** How many rows the command wrote or returned. */
  readonly rowCount: number | null;
}

/** A query as `pg` takes it. */
export interface PostgresQuery {
  readonly text: string;
  readonly values?: unknown[];
  /** Under this name the connection keeps the statement prepared. */
  readonly name?: string;
  readonly types?: { getTypeParser(): (text: string) => unknown };
}
