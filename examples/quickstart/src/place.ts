/** Where servers run, as seen from outside the library: the quickstart checks there what the library says. */
export interface Place {
  /** The processes of an instance: others after each start. */
  pidsOf(instanceId: string): Promise<readonly number[]>;
  /** Kills an instance's server with SIGKILL, as a crash would. */
  kill(instanceId: string): Promise<void>;
  /** Names everything there is of a fleet. */
  remains(fleet: string): Promise<readonly string[]>;
  /** Names what runs of the quickstart left whose host has died without ending it. */
  abandoned(): Promise<readonly string[]>;
}
