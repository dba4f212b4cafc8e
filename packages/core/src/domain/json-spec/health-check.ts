import { defaults } from '../defaults.js';
import type { JsonSpec } from './json-spec.js';

/** How the health of a server is known, with nothing left open; times in seconds. */
export interface ResolvedHealthCheck {
  readonly type: 'mcp' | 'http' | 'tcp' | 'none';
  /** What {@link resolveHealthUrl} takes; `''`, the endpoint itself, for every type but `http`. */
  readonly path: string;
  readonly interval: number;
  readonly timeout: number;
  /** Failures in a row that make it `unhealthy`. */
  readonly retries: number;
  readonly startPeriod: number;
  /** The tool called as the last step; `null` for none. */
  readonly canaryTool: string | null;
}

/** Fills the health check of a document, in its short form too, with the defaults. */
export function resolveHealthCheck(spec: JsonSpec): ResolvedHealthCheck {
  const given =
    typeof spec.health_check === 'string' ? { path: spec.health_check } : (spec.health_check ?? {});
  const type = given.type ?? (given.path === undefined ? 'mcp' : 'http');
  return {
    type,
    path: type === 'http' ? (given.path ?? defaults.healthPath) : '',
    interval: given.interval ?? defaults.healthInterval,
    // Rows may hold a longer one from when there was no limit.
    timeout: Math.min(given.timeout ?? defaults.healthTimeout, defaults.healthTimeoutMost),
    retries: given.retries ?? defaults.healthRetries,
    startPeriod: given.start_period ?? defaults.startPeriod,
    canaryTool: given.canary_tool ?? null,
  };
}

/**
 * Gives the URL an `http` health check asks for.
 *
 * A path with a leading slash is resolved against the endpoint's origin, one without under the endpoint: for
 * `http://host/mcp`, `/health` is `http://host/health` and `health` is `http://host/mcp/health`. The result is on the
 * endpoint's origin whatever the path holds.
 */
export function resolveHealthUrl(endpointUrl: string, path: string): string {
  const url = new URL(endpointUrl);
  url.hash = '';
  if (path === '') return url.href;
  const mark = path.indexOf('?');
  const pathname = mark === -1 ? path : path.slice(0, mark);
  // Assigned as a path, not resolved as a reference: `//other-host/x` must not leave the origin.
  url.pathname = pathname.startsWith('/') ? pathname : `${url.pathname.replace(/\/$/u, '')}/${pathname}`;
  url.search = mark === -1 ? '' : path.slice(mark);
  return url.href;
}
