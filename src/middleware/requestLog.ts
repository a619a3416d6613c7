import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { faultReason } from '../platform/postgres/databaseFault.ts';
import { faultOf } from './fault.ts';
import { requestIdOf } from './requestId.ts';

/**
 * Logs one line per response, with the route's template rather than what was asked for: paths hold ids, queries hold
 * users, bodies hold what people say to each other.
 */
export function requestLog(logger: Logger): RequestHandler {
  const log = logger.child({ component: 'http' });
  return (req, res, next) => {
    const startedMs = performance.now();
    res.once('close', () => {
      const line = describe(req, res, performance.now() - startedMs);
      const fault = faultOf(res);
      if (res.statusCode === 500) log.error({ ...line, err: fault }, 'request failed');
      // Trouble elsewhere, met by every request until it is over: a reason each, no stack.
      else if (res.statusCode > 500)
        log.warn({ ...line, reason: fault && faultReason(fault) }, 'request refused');
      else log.info(line, 'request');
    });
    next();
  };
}

function describe(req: Request, res: Response, durationMs: number) {
  return {
    requestId: requestIdOf(res),
    method: req.method,
    route: routeOf(req),
    statusCode: res.statusCode,
    durationMs: Math.round(durationMs * 10) / 10,
    // The client went away before it had its answer.
    ...(!res.writableFinished && { aborted: true }),
  };
}

function routeOf(req: Request): string {
  const route: unknown = req.route;
  const known = typeof route === 'object' && route !== null && 'path' in route;
  return known ? String(route.path) : 'none';
}
