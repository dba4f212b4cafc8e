/** Tells one process from every other, also from a later one that was given the same pid. */
export interface ProcessIdentity {
  /** The machine, or the container where pids are its own; hexadecimal. Not for naming a placement. */
  readonly machineId: string;
  /** The boot of the machine, hexadecimal; zeros where it is not known. */
  readonly bootId: string;
  readonly pid: number;
  /** When it began, in ticks since the boot; 0 where it is not known. */
  readonly startTime: number;
}
