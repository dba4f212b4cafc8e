import type { ServerContext } from '@modelcontextprotocol/server';
import { setTimeout as delay } from 'node:timers/promises';
import type { FixtureState } from '../fixture-state.js';

interface Sleeper {
  readonly ctx: ServerContext;
  readonly state: FixtureState;
}

/** Waits in steps, with a progress notification after each for a caller that asked; counts a cancellation and rejects. */
export async function sleep(ms: number, { ctx, state }: Sleeper): Promise<void> {
  const step = Math.min(250, Math.max(10, ms / 10));
  for (let slept = 0; slept < ms; slept = Math.min(ms, slept + step)) {
    try {
      await delay(Math.min(step, ms - slept), undefined, { signal: ctx.mcpReq.signal });
    } catch (cause) {
      state.noteCancellation();
      process.stderr.write('sleep: cancelled\n');
      throw cause;
    }
    await notifyProgress(ctx, Math.min(ms, slept + step), ms);
  }
}

/** Sends one progress notification, or nothing to a caller that gave no token. */
export async function notifyProgress(ctx: ServerContext, progress: number, total: number): Promise<void> {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return;
  await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total } });
}
