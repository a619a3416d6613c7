import express, { type Express, type RequestHandler, Router } from 'express';
import { ChatError } from '../contracts/errors.ts';
import { requestId } from '../middleware/requestId.ts';
import { requestLog } from '../middleware/requestLog.ts';
import { BODY_MS_SETTING } from './body.ts';
import { conversationRoutes } from './conversations.ts';
import type { HttpDeps } from './deps.ts';
import { docsRoutes } from './docs.ts';
import { eventStreamRoutes } from './eventStream.ts';
import { healthRoutes } from './health.ts';
import { historyRoutes } from './history.ts';
import { messageRoutes } from './messages.ts';
import { metricsRoutes } from './metrics.ts';
import { presenceRoutes } from './presence.ts';
import { problems } from './problem.ts';
import { receiptRoutes } from './receipts.ts';
import { searchRoutes } from './search.ts';
import { shell } from './shell.ts';
import { uploadRoutes } from './uploads.ts';

/** The HTTP API as an Express app, without a server; see `startHttpServer`. */
export function createHttpApp(deps: HttpDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // Queries are read by each route through its schema, strictly; Express' lenient reading stays out of the way.
  app.set('query parser', false);
  app.set(BODY_MS_SETTING, deps.shell?.bodyMsMax);
  app.use(requestId, requestLog(deps.logger));
  shell(app, deps.shell);
  app.use(apiRoutes(deps));
  app.use(unknownPath, problems);
  return app;
}

/** Every path that is served. */
export function apiRoutes(deps: HttpDeps): Router {
  const router = Router({ caseSensitive: true });
  healthRoutes(router, deps);
  conversationRoutes(router, deps);
  messageRoutes(router, deps);
  historyRoutes(router, deps);
  searchRoutes(router, deps);
  presenceRoutes(router, deps);
  receiptRoutes(router, deps);
  uploadRoutes(router, deps);
  eventStreamRoutes(router, deps);
  metricsRoutes(router, deps);
  docsRoutes(router);
  return router;
}

const unknownPath: RequestHandler = () => {
  throw new ChatError('not_found', 'There is nothing at this path.');
};
