/** Says that a service a test asked for can neither be found nor started on this machine, and why. */
export class ServiceUnavailable extends Error {
  override readonly name = 'ServiceUnavailable';
  readonly service: string;

  constructor(service: string, reason: string, options?: ErrorOptions) {
    super(`${service} is not available: ${reason}`, options);
    this.service = service;
  }
}
