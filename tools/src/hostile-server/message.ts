/** A JSON-RPC message, of which only what the behaviours look at is known. */
export interface Message {
  readonly jsonrpc: '2.0';
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
  readonly error?: unknown;
}

export type Request = Message & { readonly id: string | number; readonly method: string };

export function isRequest(message: Message): message is Request {
  return message.id !== undefined && message.method !== undefined;
}

export function isCall(message: Message): message is Request {
  return isRequest(message) && message.method === 'tools/call';
}

/** Parses one message or a batch of them; what is neither gives none. */
export function parseMessages(text: string): readonly Message[] {
  try {
    return [JSON.parse(text) as unknown].flat().filter(isMessage);
  } catch {
    return [];
  }
}

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && 'jsonrpc' in value;
}
