import {
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  SseError,
  UnauthorizedError,
} from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { mcpError } from '../domain/errors/mcpinfra-error.js';
import { normaliseSDKError } from './normalise-sdk-error.js';

const url = new URL('https://user:password@example.com/mcp?token=hidden');
const normalise = (error: unknown) => normaliseSDKError(error, { method: 'tools/call', url });
const http = (status: number, code: SdkErrorCode) =>
  new SdkHttpError(code, `status ${status}`, { status, statusText: '' });
const system = (code: string) => Object.assign(new Error(`connect ${code}`), { code });

describe('normaliseSDKError', () => {
  it.each([
    ['401 of the legacy era', http(401, SdkErrorCode.ClientHttpNotImplemented), 'UNAUTHORIZED'],
    ['401 of the modern era', http(401, SdkErrorCode.ClientHttpAuthentication), 'UNAUTHORIZED'],
    ['403', http(403, SdkErrorCode.ClientHttpForbidden), 'UNAUTHORIZED'],
    ['503 while the era is found out', http(503, SdkErrorCode.EraNegotiationFailed), 'HTTP_STATUS'],
    ['404', http(404, SdkErrorCode.ClientHttpNotImplemented), 'HTTP_STATUS'],
    [
      'a status that is told as the code of a stream',
      new SseError(401, 'Non-200', {} as never),
      'UNAUTHORIZED',
    ],
    [
      'a status that is told in words',
      new Error('Error POSTing to endpoint (HTTP 500): oops'),
      'HTTP_STATUS',
    ],
    ['an error of authorization without a status', new UnauthorizedError(), 'UNAUTHORIZED'],
    ['an unusable era', new SdkError(SdkErrorCode.EraNegotiationFailed, 'no'), 'ERA_MISMATCH'],
    ['a timeout', new SdkError(SdkErrorCode.RequestTimeout, 'Request timed out'), 'REQUEST_TIMEOUT'],
    [
      'a process that died',
      new SdkError(SdkErrorCode.ConnectionClosed, 'Connection closed'),
      'CONNECTION_CLOSED',
    ],
    ['a client that is closed', new Error('Not connected'), 'CONNECTION_CLOSED'],
    ['a web page', new SdkError(SdkErrorCode.ClientHttpUnexpectedContent, 'text/html'), 'PROTOCOL_ERROR'],
    ['an invalid result', new SdkError(SdkErrorCode.InvalidResult, 'bad'), 'PROTOCOL_ERROR'],
    [
      'a refused connection',
      new TypeError('fetch failed', { cause: system('ECONNREFUSED') }),
      'CONNECTION_REFUSED',
    ],
    [
      'a refused connection further below',
      new SdkError(SdkErrorCode.EraNegotiationFailed, 'no', undefined, {
        cause: new TypeError('fetch failed', { cause: system('ECONNREFUSED') }),
      }),
      'CONNECTION_REFUSED',
    ],
    ['an unknown name', new TypeError('fetch failed', { cause: system('ENOTFOUND') }), 'CONNECTION_REFUSED'],
    [
      'a connection that was cut',
      new TypeError('terminated', { cause: system('UND_ERR_SOCKET') }),
      'CONNECTION_CLOSED',
    ],
    ['a broken pipe', system('EPIPE'), 'CONNECTION_CLOSED'],
    ['wrong arguments', new ProtocolError(-32602, 'Unknown tool'), 'INVALID_ARGUMENT'],
    ['an unsupported version', new ProtocolError(-32022, 'no'), 'ERA_MISMATCH'],
    ['any other error of the server', new ProtocolError(-32603, 'oops'), 'PROTOCOL_ERROR'],
    [
      'what our transports say',
      new ProtocolError(-32000, 'x', { code: 'OUTCOME_UNKNOWN' }),
      'OUTCOME_UNKNOWN',
    ],
    ['a code a server made up', new ProtocolError(-32000, 'x', { code: 'STORE_CORRUPT' }), 'PROTOCOL_ERROR'],
    ['an unsupported answer', new Error("Server's protocol version is not supported: 1"), 'PROTOCOL_ERROR'],
    ['no error at all', undefined, 'PROTOCOL_ERROR'],
  ])('takes %s', (_, error, code) => {
    expect(normalise(error)).toMatchObject({ code });
  });

  it('keeps an error of ours wherever it is', () => {
    const ours = mcpError('INVALID_SPEC', 'The address is private.');
    expect(normalise(ours)).toBe(ours);
    expect(normalise(new TypeError('fetch failed', { cause: ours }))).toBe(ours);
  });

  it('does not repeat what may be secret in an address', () => {
    const { message } = normalise(system('ECONNREFUSED'));
    expect(message).toContain('https://example.com/mcp');
    expect(message).not.toMatch(/password|hidden/);
  });
});
