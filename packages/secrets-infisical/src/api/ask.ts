/** The routes that are used, by what they do. */
export const routes = {
  login: { method: 'POST', path: '/api/v1/auth/universal-auth/login' },
  list: { method: 'GET', path: '/api/v3/secrets/raw' },
  create: { method: 'POST', path: '/api/v3/secrets/raw/' },
  update: { method: 'PATCH', path: '/api/v3/secrets/raw/' },
  remove: { method: 'DELETE', path: '/api/v3/secrets/raw/' },
  folder: { method: 'POST', path: '/api/v1/folders' },
} as const;

/** One of the routes. */
export type RouteName = keyof typeof routes;

/** What is asked of the server. */
export interface Ask {
  readonly route: RouteName;
  /** The secret that the route is about. */
  readonly name?: string | undefined;
  readonly query?: Readonly<Record<string, string>> | undefined;
  readonly body?: Readonly<Record<string, unknown>> | undefined;
}
