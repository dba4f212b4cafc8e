/** Calls back at the time set for a key; one time for each. */
export interface DueTimes {
  set(key: string, dueMs: number): void;
  delete(key: string): void;
  clear(): void;
}
