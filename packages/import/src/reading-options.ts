/** How much of a document is carried over. */
export interface ReadingOptions {
  /** Whether mounts are. */
  readonly volumes: boolean;
}
