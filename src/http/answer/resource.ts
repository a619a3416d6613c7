import type { Request, Response, Router } from 'express';
import { ChatError } from '../../contracts/errors.ts';

export type Handler = (req: Request, res: Response) => Promise<void> | void;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** What one path answers to which method; `HEAD` goes with `get`. */
export type Handlers = Partial<Record<(typeof METHODS)[number], Handler>>;

/** One method of one path that is served. */
export interface ServedRoute {
  readonly method: (typeof METHODS)[number];
  /** Express' template, as in `/api/chat/messages/:messageId`. */
  readonly path: string;
}

const served = new WeakMap<Router, ServedRoute[]>();

/** What was made a resource of this router, for the test that compares it with the API document. */
export function servedRoutes(router: Router): readonly ServedRoute[] {
  return served.get(router) ?? [];
}

/** Serves a path. Any other method is answered with 405 and an `Allow` that names those there are. */
export function resource(router: Router, path: string, handlers: Handlers): void {
  const route = router.route(path);
  const allowed: string[] = [];
  for (const method of METHODS) {
    const handler = handlers[method];
    if (handler === undefined) continue;
    route[method](handler);
    served.set(router, [...servedRoutes(router), { method, path }]);
    allowed.push(...(method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
  }
  const allow = allowed.join(', ');
  route.all((req, res) => {
    res.set('Allow', allow);
    throw new ChatError('method_not_allowed', `${req.method} is not possible here; ${allow} is.`);
  });
}

/** Answers with JSON that is text already, as Postgres built it. */
export function sendJsonText(res: Response, json: string): void {
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  res.send(json);
}

/**
 * Answers a command with JSON. Nobody will ever ask whether it has changed since, so that what Express does for that, and
 * for every other kind of answer, is left out.
 */
export function sendAnswer(res: Response, status: number, answer: object): void {
  const json = JSON.stringify(answer);
  res.statusCode = status;
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  res.setHeader('Content-Length', Buffer.byteLength(json));
  res.end(json);
}
