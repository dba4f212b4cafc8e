import { ignoreError, sleep, systemClock } from '@mcpinfra/core/plugin';
import { isListening } from './free-port.js';

const askAfterMs = 3_000;
const recheckMs = 500;
// A ping is answered before `initialize` too (MCP 2025-11-25, lifecycle); who does not know it answers with an error.
const question = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })}\n`;

/** How a {@link SpeechWatch} meets its server. */
export interface SpeechWatchOptions {
  readonly port: number;
  /** Writes to the server's standard input. */
  readonly say: (text: string) => void;
  /** Told once that the server speaks over its standard streams and nobody listens on the port. */
  readonly onSpeaksStdio: () => void;
}

/**
 * Notices a server that was given a port but speaks over its standard streams, which would otherwise be a start that
 * times out without a reason.
 *
 * Such a server waits to be spoken to. So when nobody listens on the port for some time it is asked once: a server over
 * HTTP does not read its standard input, one over stdio answers.
 */
export class SpeechWatch {
  readonly #options: SpeechWatchOptions;
  readonly #ended = new AbortController();
  #hasSpoken = false;
  #listens = false;

  constructor(options: SpeechWatchOptions) {
    this.#options = options;
    this.#askWhenSilent().catch(ignoreError);
  }

  /** Whether the server spoke and was never seen to listen. */
  get speaksStdio(): boolean {
    return this.#hasSpoken && !this.#listens;
  }

  /** Takes a line of the server's standard output. */
  heard(line: string): void {
    if (this.#hasSpoken || this.#listens || !/^\s*[[{].*"jsonrpc"\s*:\s*"2\.0"/u.test(line)) return;
    this.#hasSpoken = true;
    this.#prove().catch(ignoreError);
  }

  stop(): void {
    this.#ended.abort();
  }

  async #askWhenSilent(): Promise<void> {
    let isAsked = false;
    while (await this.#wait(askAfterMs)) {
      if (await this.#isListening()) return;
      if (!isAsked && !this.#ended.signal.aborted) this.#options.say(question);
      isAsked = true;
    }
  }

  // It may write its messages to a log of its own and listen a moment later: so it is looked for twice.
  async #prove(): Promise<void> {
    if (await this.#isListening()) return;
    if (!(await this.#wait(recheckMs)) || (await this.#isListening())) return;
    if (!this.#ended.signal.aborted) this.#options.onSpeaksStdio();
  }

  async #isListening(): Promise<boolean> {
    this.#listens ||= await isListening(this.#options.port);
    return this.#listens;
  }

  async #wait(ms: number): Promise<boolean> {
    await sleep(systemClock, ms, this.#ended.signal);
    return !this.#ended.signal.aborted;
  }
}
