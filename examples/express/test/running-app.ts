import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { parseEphemeralFleet } from '@mcpinfra/core/plugin';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** What the app answered. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Body;
}

/** What tests read in answers; each answer has some of it. */
interface Body {
  readonly id: string;
  readonly content: readonly { readonly text: string }[];
  readonly items: readonly { readonly name: string; readonly ok?: boolean }[];
  readonly next_cursor: string | null;
  readonly error: {
    readonly code: string;
    readonly issues: readonly { readonly path: string; readonly message: string }[];
  };
}

/** A server-sent event, its data parsed. */
interface SentEvent {
  readonly id: number;
  readonly event: string;
  readonly data: { readonly type: string; readonly subject: string; readonly data: Record<string, unknown> };
}

type Init = Omit<RequestInit, 'headers'> & { readonly headers?: Readonly<Record<string, string>> };

/** The program as it runs. */
export interface RunningApp {
  readonly url: string;
  readonly output: () => string;
  ask(method: string, path: string, body?: unknown, init?: Init): Promise<Answer>;
  /** Listens to the events of the fleet; resolves once it does. */
  events(lastEventId?: number): Promise<readonly SentEvent[]>;
  /** Asks it to end, and tells its exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
  /** The pids of the servers it has started. */
  children(): readonly number[];
  kill(): void;
}

/** Starts the program on a free port. */
export async function startApp(environment: Record<string, string> = {}): Promise<RunningApp> {
  const { PATH, HOME } = process.env;
  const host = spawn(process.execPath, [program], { env: { PATH, HOME, PORT: '0', ...environment } });
  let output = '';
  for (const stream of [host.stdout, host.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(host, 'close').then(([code]) => code as number | null);
  const url = await vi.waitUntil(
    () => {
      if (host.exitCode !== null) throw new Error(`The program ended at its start:\n${output}`);
      return /^listening on (http:\S+)$/m.exec(output)?.[1];
    },
    { timeout: 20_000, interval: 20 },
  );

  return {
    url,
    output: () => output,
    ask: async (method, path, content, init: Init = {}) => {
      const headers = { 'content-type': 'application/json', ...init.headers };
      const sent = content === undefined ? {} : { body: JSON.stringify(content), headers };
      const response = await fetch(url + path, { method, ...init, ...sent });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
      const body = (isJson ? JSON.parse(text) : {}) as Body;
      return { status: response.status, headers: response.headers, text, body };
    },
    events: async (lastEventId) => {
      const headers = lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) };
      const response = await fetch(`${url}/events`, { headers });
      const seen: SentEvent[] = [];
      void readEvents(response, seen).catch(() => undefined); // it breaks off when the program ends
      return seen;
    },
    end: async (signal) => {
      host.kill(signal);
      return ended;
    },
    children: () => (host.pid === undefined ? [] : childrenOf(host.pid)),
    kill: () => host.kill('SIGKILL'),
  };
}

async function readEvents(response: Response, seen: SentEvent[]): Promise<void> {
  let unread = '';
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (unread + text).split('\n\n');
    unread = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = Object.fromEntries(
        block
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      if (fields['event'] === undefined) continue;
      const data = JSON.parse(fields['data']!) as SentEvent['data'];
      seen.push({ id: Number(fields['id']), event: fields['event'], data });
    }
  }
}

/** Found by the variable that the process provider gives every server, so also those that left their parent. */
function childrenOf(hostPid: number): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      const fleet = /(?:^|\0)MCPINFRA_FLEET=([^\0]*)/.exec(readFileSync(`/proc/${pid}/environ`, 'utf8'))?.[1];
      return parseEphemeralFleet(fleet ?? '')?.pid === hostPid;
    } catch {
      return false; // It has ended meanwhile.
    }
  });
}
