import type { StdioChannel } from '@mcpinfra/core/plugin';

/** The channels to standard streams, one for each copy: whoever comes next takes it away from who had it. */
export class Attachments {
  readonly #channels = new Map<string, { readonly channel: StdioChannel; isLent: boolean }>();

  /** Keeps a channel that was opened before the start, so that its first reader misses nothing. */
  hold(key: string, channel: StdioChannel): void {
    this.release(key);
    this.#channels.set(key, { channel, isLent: false });
  }

  /** Gives the channel nobody has had yet, unless it broke meanwhile. */
  take(key: string): StdioChannel | undefined {
    const held = this.#channels.get(key);
    if (!held || held.isLent || held.channel.input.destroyed) return undefined;
    held.isLent = true;
    return held.channel;
  }

  /** Remembers a channel to a server that ran before, which another may have written to, and hands it out at once. */
  lend(key: string, attached: StdioChannel): StdioChannel {
    this.release(key);
    const channel = { ...attached, wasUsed: true };
    this.#channels.set(key, { channel, isLent: true });
    return channel;
  }

  release(key: string): void {
    this.#channels.get(key)?.channel.close();
    this.#channels.delete(key);
  }

  releaseAll(): void {
    for (const key of [...this.#channels.keys()]) this.release(key);
  }
}
