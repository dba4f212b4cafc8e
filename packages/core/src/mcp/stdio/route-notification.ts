import { isObject } from '../../domain/is-object.js';
import { type JSONObject, type Notification } from '../json-rpc.js';
import { metaKeys } from '../protocol.js';
import type { CallOwner, CallTable, PendingCall } from './call-table.js';
import type { MuxSession } from './mux-session.js';
import type { SharedSettings } from './shared-settings.js';

/** Whom a notification can concern. */
export interface Audience {
  readonly calls: CallTable;
  readonly sessions: ReadonlySet<MuxSession>;
  readonly settings: SharedSettings<CallOwner>;
}

/** Hands a notification of the server to the sessions it concerns, in their own ids. */
export function routeNotification(message: Notification, audience: Audience): void {
  const { calls, sessions, settings } = audience;
  const params = message.params ?? {};
  const meta = params['_meta'];
  const to = (call: PendingCall | undefined, translated: (call: PendingCall) => JSONObject): void => {
    for (const session of sessions) {
      if (session === call?.owner) session.deliver({ ...message, params: translated(call) });
    }
  };
  const toAll = (wants: (session: MuxSession) => boolean): void => {
    for (const session of sessions) if (wants(session)) session.deliver(message);
  };

  if (isObject(meta) && meta[metaKeys.subscriptionId] !== undefined) {
    to(calls.find(meta[metaKeys.subscriptionId]), ({ ownId }) => ({
      ...params,
      _meta: { ...meta, [metaKeys.subscriptionId]: ownId },
    }));
    return;
  }
  switch (message.method) {
    case 'notifications/progress':
      to(calls.find(params['progressToken']), (call) => ({ ...params, progressToken: call.progressToken }));
      return;
    case 'notifications/cancelled':
      to(calls.find(params['requestId']), (call) => ({ ...params, requestId: call.ownId }));
      return;
    case 'notifications/resources/updated': {
      const subscribers = settings.subscribersOf(String(params['uri']));
      toAll((session) => subscribers.has(session));
      return;
    }
    case 'notifications/tools/list_changed':
    case 'notifications/prompts/list_changed':
    case 'notifications/resources/list_changed':
      toAll(() => true);
      return;
    default: {
      // Nothing says whom the rest concerns, and it may carry what only one client should see.
      const alone = sessions.size === 1;
      const isLog = message.method === 'notifications/message';
      toAll((session) => alone || (isLog && settings.wantsLog(session, params['level'])));
    }
  }
}
