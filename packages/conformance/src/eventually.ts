import { setTimeout as wait } from 'node:timers/promises';

/** Waits until a check no longer throws. Rejects with what it threw last when the time is over. */
export async function eventually(check: () => void | Promise<void>, patienceMs: number): Promise<void> {
  const end = performance.now() + patienceMs;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() >= end) throw error;
    }
    await wait(5);
  }
}
