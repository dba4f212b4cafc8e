import { type MCPInfraError } from '../../domain/errors/mcpinfra-error.js';
import type { RequestId, Response } from '../json-rpc.js';
import type { CallOwner } from './call-table.js';

/** A call the multiplexer makes itself. */
export class OwnCall implements CallOwner {
  readonly answer: Promise<Response>;
  #resolve: (answer: Response) => void = () => undefined;
  #reject: (error: MCPInfraError) => void = () => undefined;

  constructor() {
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  deliver(answer: Response): void {
    this.#resolve(answer);
  }

  fail(_ownId: RequestId, error: MCPInfraError): void {
    this.#reject(error);
  }
}
