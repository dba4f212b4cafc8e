import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import * as publicSurface from '../../index.js';
import { errorCodes, type ErrorCode } from './error-codes.js';
import { ConfigError, InternalError, MCPInfraError, mcpError, TransientError } from './mcpinfra-error.js';
import { normaliseError } from './normalise-error.js';

describe('errors', () => {
  it('have the class of who must act', () => {
    const classes = { config: ConfigError, transient: TransientError, internal: InternalError };
    for (const code of Object.keys(errorCodes) as ErrorCode[]) {
      const error = mcpError(code, 'What happened.');
      expect(error).toBeInstanceOf(classes[errorCodes[code].category]);
      expect(error.remedy).toMatch(/^[A-Z].*[.]$/u);
    }
  });

  it('have the status with which a host answers over HTTP', () => {
    for (const code of Object.keys(errorCodes) as ErrorCode[]) {
      const { httpStatus, category, retryable } = mcpError(code, 'What happened.');
      expect(Number.isInteger(httpStatus) && httpStatus >= 400 && httpStatus < 600, code).toBe(true);
      expect(httpStatus).toBe(errorCodes[code].httpStatus);
      expect(JSON.parse(JSON.stringify(mcpError(code, 'x')))).toMatchObject({ httpStatus });
      // Who asks can mend nothing where only time or a report of the defect does.
      if (category !== 'config') expect(httpStatus, code).toBeGreaterThanOrEqual(500);
      // Proxies and clients take these for a login of the caller's own, or repeat the call.
      expect([401, 407, 408, 425]).not.toContain(httpStatus);
      if (httpStatus === 503) expect(retryable || category === 'config', code).toBe(true);
    }
    expect(mcpError('NOT_FOUND', 'x').httpStatus).toBe(404);
    expect(mcpError('INVALID_SPEC', 'x').httpStatus).toBe(422);
    expect(mcpError('UNAUTHORIZED', 'x').httpStatus).toBe(502);
  });

  it('are known across copies of the package, and every exported error class is', () => {
    const foreign = { code: 'NOT_FOUND', [Symbol.for('io.mcpinfra.error')]: true };
    expect(MCPInfraError.isInstance(foreign)).toBe(true);
    expect(MCPInfraError.isInstance(new Error('x'))).toBe(false);
    const classes = Object.entries(publicSurface).filter(([name]) => name.endsWith('Error'));
    expect(classes.map(([name]) => name).sort()).toEqual([
      'ConfigError',
      'InternalError',
      'MCPInfraError',
      'TransientError',
    ]);
    for (const [, value] of classes) {
      expect(MCPInfraError.isInstance(new (value as typeof MCPInfraError)('INTERNAL', 'x'))).toBe(true);
    }
  });

  it('keep an error of the library as it is and wrap everything else', () => {
    const own = mcpError('NOT_FOUND', 'x');
    expect(normaliseError(own, 'INTERNAL', 'Doing')).toBe(own);
    const cause = new TypeError('bad');
    expect(normaliseError(cause, 'STORE_FAILED', 'Writing failed')).toMatchObject({
      code: 'STORE_FAILED',
      message: 'Writing failed: bad',
      cause,
      retryable: true,
    });
    expect(normaliseError(null, 'INTERNAL', 'Doing').message).toBe('Doing: a thrown null');
  });

  it('print what to do', () => {
    const error = mcpError('NOT_FOUND', 'There is no server "x".');
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({
      code: 'NOT_FOUND',
      remedy: errorCodes.NOT_FOUND.remedy,
    });
    expect(inspect(error)).toContain('NOT_FOUND');
  });
});
