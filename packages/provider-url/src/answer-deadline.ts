import { type Clock, edge, ignoreError, mcpError } from '@mcpinfra/core/plugin';
import type { Dispatcher } from 'undici';

type Interceptor = Dispatcher.DispatcherComposeInterceptor;
type Controller = Dispatcher.DispatchController;

/**
 * Ends requests whose answer has not begun in time, connecting included. An answer that has begun may take as long as
 * it likes: it may be a stream of events.
 */
export function answerDeadline(timeoutMs: number, clock: Clock): Interceptor {
  return (dispatch) => (options, handler) => {
    let controller: Controller | undefined;
    let expired: Error | undefined;
    const giveUp = (): void => {
      expired = tooLate(options, timeoutMs);
      if (controller) controller.abort(expired);
      // Still connecting: there is nothing to abort yet, but nobody should wait for it.
      else handler.onResponseError?.(nothingToControl, expired);
    };
    const cancel = clock.schedule(timeoutMs, edge(ignoreError, giveUp));
    const given = (): boolean => expired !== undefined && controller === undefined;
    return dispatch(options, {
      onRequestStart(started, context) {
        if (given()) {
          started.abort(expired ?? tooLate(options, timeoutMs));
          return;
        }
        controller = started;
        handler.onRequestStart?.(started, context);
      },
      onRequestUpgrade(...args) {
        cancel();
        handler.onRequestUpgrade?.(...args);
      },
      onResponseStart(...args) {
        cancel();
        handler.onResponseStart?.(...args);
      },
      onResponseData: (...args) => handler.onResponseData?.(...args),
      onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
      onResponseError(...args) {
        cancel();
        if (!given()) handler.onResponseError?.(...args);
      },
    });
  };
}

function tooLate({ origin, path }: Dispatcher.DispatchOptions, timeoutMs: number): Error {
  const [pathname = ''] = path.split('?');
  const where = `${String(origin ?? '')}${pathname}`;
  return mcpError(
    'REQUEST_TIMEOUT',
    `${where} did not begin to answer within ${String(timeoutMs / 1_000)} s, the timeout of its document.`,
  );
}

const nothingToControl: Controller = {
  aborted: true,
  paused: false,
  reason: null,
  abort: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
};
