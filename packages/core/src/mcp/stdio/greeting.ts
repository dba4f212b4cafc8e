import type { JSONObject } from '../json-rpc.js';

/** How a server was greeted; in the legacy era every session gets the answer to the one `initialize`. */
export type Greeting =
  { readonly era: 'legacy'; readonly initializeResult: JSONObject } | { readonly era: 'modern' };
