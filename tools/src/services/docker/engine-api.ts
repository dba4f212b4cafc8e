import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

/** Says that the engine answered with an error status. */
export class EngineApiError extends Error {
  override readonly name = 'EngineApiError';
  readonly status: number;

  constructor(call: string, status: number, answer: string) {
    super(`${call} answered ${status}: ${answer.trim()}`);
    this.status = status;
  }
}

interface Call {
  /** JSON, unless it is a stream: then a tar archive. */
  readonly body?: object | Readable;
  /** @defaultValue 120000 */
  readonly timeoutMs?: number;
}

/** The few calls of Docker's Engine API that building images and cleaning up need. */
export class EngineApi {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /**
   * Calls and returns the answer's JSON.
   *
   * @throws EngineApiError when the status is none of 2xx.
   */
  async json<T>(method: string, path: string, call: Call = {}): Promise<T> {
    const answer = await this.text(method, path, call);
    return (answer === '' ? undefined : JSON.parse(answer)) as T;
  }

  async text(method: string, path: string, call: Call = {}): Promise<string> {
    const response = await this.#send(method, path, call);
    const answer = await text(response);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return answer;
    throw new EngineApiError(`${method} ${path}`, status, answer);
  }

  async isReady(): Promise<boolean> {
    try {
      return (await this.text('GET', '/_ping', { timeoutMs: 2_000 })) === 'OK';
    } catch {
      return false;
    }
  }

  async #send(method: string, path: string, { body, timeoutMs = 120_000 }: Call): Promise<IncomingMessage> {
    const isTar = body !== undefined && 'pipe' in body;
    const req = request({
      socketPath: this.#socketPath,
      method,
      path,
      agent: false,
      headers: body === undefined ? {} : { 'content-type': isTar ? 'application/x-tar' : 'application/json' },
      signal: AbortSignal.timeout(timeoutMs),
    });
    const answered = once(req, 'response') as Promise<[IncomingMessage]>;
    if (isTar) await Promise.all([pipeline(body, req), answered]);
    else req.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = await answered;
    return response;
  }
}
