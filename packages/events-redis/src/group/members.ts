import type { Event, EventHandler } from '@mcpinfra/core/plugin';

/** A subscriber of a group in this process. */
export interface Member {
  readonly wanted: ReadonlySet<string>;
  readonly handler: EventHandler;
}

/** The subscribers that share the events of a group in this process, in turn. */
export class Members {
  readonly #members: Member[] = [];

  get isEmpty(): boolean {
    return this.#members.length === 0;
  }

  add(member: Member): void {
    this.#members.push(member);
  }

  remove(member: Member): void {
    const at = this.#members.indexOf(member);
    if (at >= 0) this.#members.splice(at, 1);
  }

  clear(): void {
    this.#members.length = 0;
  }

  /** The one whose turn it is, of those that want such an event. */
  next(event: Event): Member | undefined {
    const at = this.#members.findIndex(({ wanted }) => wanted.has(event.type));
    const [member] = at < 0 ? [] : this.#members.splice(at, 1);
    if (member !== undefined) this.#members.push(member);
    return member;
  }
}
