import { MCPInfraError, type ErrorCode, type Issue } from '@mcpinfra/core';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { issuesToWire } from './wire.js';

//#region errors
const byCategory = { config: 400, transient: 503, internal: 500 };
const byCode: Partial<Record<ErrorCode, number>> = {
  NOT_FOUND: 404,
  INSTANCE_DELETED: 404,
  ALREADY_EXISTS: 409,
  CONFLICT: 409,
  SERVER_IN_USE: 409,
  LIMIT_EXCEEDED: 429,
  INSTANCE_STOPPED: 503,
  PROTOCOL_ERROR: 502,
  OUTCOME_UNKNOWN: 502,
};

/** Answers with the code, what to do about it, and everything that is wrong with a document. */
export const answerError: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (res.headersSent || !MCPInfraError.isInstance(error)) {
    next(error); // in the middle of a stream Express can only close the connection
    return;
  }
  const { code, category, message, remedy, retryable, details } = error;
  const issues = issuesToWire((details['issues'] ?? []) as readonly Issue[]);
  res.status(byCode[code] ?? byCategory[category]).type('json');
  res.json({ error: { code, message, remedy, retryable, issues } });
};
//#endregion

/** Answers what Express itself refuses, such as a body that is no JSON. What is left is a defect, which Express prints. */
export const answerRefusal: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  const status: unknown = error instanceof Error && 'status' in error ? error.status : undefined;
  if (res.headersSent || typeof status !== 'number') next(error);
  else res.status(status).json({ error: { code: 'INVALID_ARGUMENT', message: (error as Error).message } });
};

/** Answers what no route has taken. */
export const noSuchRoute: RequestHandler = (req, res) => {
  const message = `There is no ${req.method} ${req.path}.`;
  res.status(404).json({ error: { code: 'NOT_FOUND', message } });
};
