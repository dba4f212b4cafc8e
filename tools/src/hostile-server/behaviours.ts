import type { BehaviourEntry } from './behaviour.js';
import { crashAfter, exitAtOnce, exitOnUnknown, oom } from './behaviours/death.js';
import { endlessLists, flood, gzipBomb, hugeList, neverRead, retry0 } from './behaviours/excess.js';
import { http401, http500, httpHang, httpHtml, httpRedirect } from './behaviours/http.js';
import { floodStderr, garbage, huge, leakSecret } from './behaviours/noise.js';
import {
  batch,
  noTools,
  reuseIds,
  serverRequests,
  stdioThoughPort,
  wrongVersion,
} from './behaviours/protocol.js';
import { hangAfter, hangOnStart, late, slowStart } from './behaviours/silence.js';
import { forkSetsid, ignoreEof, ignoreEofAndFork } from './behaviours/survival.js';

const both = ['stdio', 'http'] as const;
const stdio = ['stdio'] as const;
const http = ['http'] as const;

/** Every behaviour by its name; what each does is in the README, and `test/hostile-server.test.ts` shows it. */
export const behaviours: ReadonlyMap<string, BehaviourEntry> = new Map<string, BehaviourEntry>([
  ['hang-on-start', { transports: both, create: hangOnStart }],
  ['hang-after', { transports: both, create: hangAfter }],
  ['late', { transports: both, create: late }],
  ['slow-start', { transports: both, create: slowStart }],

  ['exit-at-once', { transports: both, create: exitAtOnce }],
  ['crash-after', { transports: both, create: crashAfter }],
  ['exit-on-unknown', { transports: both, create: exitOnUnknown }],
  ['oom', { transports: both, create: oom }],

  ['flood-stderr', { transports: both, create: floodStderr }],
  ['garbage', { transports: both, create: garbage }],
  ['huge', { transports: both, create: huge }],
  ['leak-secret', { transports: both, create: leakSecret }],

  ['reuse-ids', { transports: both, create: reuseIds }],
  ['batch', { transports: both, create: batch }],
  ['wrong-version', { transports: both, create: wrongVersion }],
  ['no-tools', { transports: both, create: noTools }],
  ['server-requests', { transports: stdio, create: serverRequests }],
  ['stdio-though-port', { transports: stdio, create: stdioThoughPort }],

  ['never-read', { transports: stdio, create: neverRead }],
  ['flood', { transports: stdio, create: flood }],
  ['endless-lists', { transports: both, create: endlessLists }],
  ['huge-list', { transports: both, create: hugeList }],
  ['gzip-bomb', { transports: http, create: gzipBomb }],
  ['retry-0', { transports: http, create: retry0 }],

  ['ignore-eof', { transports: both, create: ignoreEof }],
  ['fork-setsid', { transports: both, create: forkSetsid }],
  ['ignore-eof-and-fork', { transports: both, create: ignoreEofAndFork }],

  ['http-500', { transports: http, create: http500 }],
  ['http-html', { transports: http, create: httpHtml }],
  ['http-401', { transports: http, create: http401 }],
  ['http-hang', { transports: http, create: httpHang }],
  ['http-redirect', { transports: http, create: httpRedirect }],
]);
