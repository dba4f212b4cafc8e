import { once } from 'node:events';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { EngineApi } from '../../src/services/docker/engine-api.js';
import { eventually } from './eventually.js';

interface Inspected {
  readonly State: { readonly Running: boolean; readonly Pid: number; readonly ExitCode: number };
  readonly RestartCount: number;
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>;
  };
}

/** One container of a test, removed after it. */
export class TestContainer {
  readonly id: string;
  readonly #api: EngineApi;
  readonly #socketPath: string;

  static async create(engine: { readonly socketPath: string }, config: object): Promise<TestContainer> {
    const { Id } = await new EngineApi(engine.socketPath).json<{ Id: string }>('POST', '/containers/create', {
      body: config,
    });
    return new TestContainer(engine.socketPath, Id);
  }

  private constructor(socketPath: string, id: string) {
    this.id = id;
    this.#socketPath = socketPath;
    this.#api = new EngineApi(socketPath);
    onTestFinished(async () => {
      await this.#api.text('DELETE', `/containers/${id}?force=1`).catch(() => {});
    });
  }

  async start(): Promise<void> {
    await this.#api.text('POST', `/containers/${this.id}/start`);
  }

  async inspect(): Promise<Inspected> {
    return await this.#api.json('GET', `/containers/${this.id}/json`);
  }

  /** Waits until it has ended, and returns its exit code. */
  async exitCode(): Promise<number> {
    const { StatusCode } = await this.#api.json<{ StatusCode: number }>(
      'POST',
      `/containers/${this.id}/wait`,
    );
    return StatusCode;
  }

  async address(network: string): Promise<string> {
    return (await this.inspect()).NetworkSettings.Networks[network]!.IPAddress;
  }

  async attach(): Promise<Attachment> {
    const req = request({
      socketPath: this.#socketPath,
      method: 'POST',
      path: `/containers/${this.id}/attach?stream=1&stdin=1&stdout=1&stderr=1`,
      headers: { connection: 'Upgrade', upgrade: 'tcp' },
    });
    req.end();
    const [, socket, head] = (await once(req, 'upgrade')) as [unknown, Socket, Buffer];
    onTestFinished(() => void socket.destroy());
    return new Attachment(socket, head);
  }
}

/** The stdin and stdout of a container. */
export class Attachment {
  readonly #socket: Socket;
  #frames: Buffer;
  #stdout = '';

  constructor(socket: Socket, head: Buffer) {
    this.#socket = socket;
    this.#frames = head;
    socket.on('data', (chunk: Buffer) => {
      this.#frames = Buffer.concat([this.#frames, chunk]);
      this.#demultiplex();
    });
  }

  write(message: object): void {
    this.#socket.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  /** Waits for the message that has this id. */
  async answer(id: number): Promise<Record<string, unknown>> {
    const find = () =>
      this.#stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .find((message) => message['id'] === id);
    await expect.poll(find, eventually).toBeDefined();
    return find()!;
  }

  /** Source: Engine API, "Attach to a container", stream format: kind, three zeros, length, payload. */
  #demultiplex(): void {
    while (this.#frames.length >= 8) {
      const end = 8 + this.#frames.readUInt32BE(4);
      if (this.#frames.length < end) return;
      if (this.#frames[0] === 1) this.#stdout += this.#frames.toString('utf8', 8, end);
      this.#frames = this.#frames.subarray(end);
    }
  }
}

/** Makes a network for a test that cannot be left, removed after it. */
export async function internalNetwork(engine: { readonly socketPath: string }, name: string): Promise<void> {
  const api = new EngineApi(engine.socketPath);
  await api.text('POST', '/networks/create', { body: { Name: name, Internal: true } });
  onTestFinished(async () => {
    await api.text('DELETE', `/networks/${name}`).catch(() => {});
  });
}
