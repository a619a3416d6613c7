import express, { type Express, type RequestHandler, Router } from 'express';
import { ChatError } from '../contracts/errors.ts';
import { requestId } from '../middleware/requestId.ts';
import { requestLog } from '../middleware/requestLog.ts';
import { standardHeaders } from '../middleware/standardHeaders.ts';
import { problems } from './answer/problem.ts';
import type { HttpDeps } from './deps.ts';
import { healthRoutes } from './health/routes.ts';
import { BODY_MS_SETTING } from './request/body.ts';
import { USER_HEADER_SETTING } from './request/identity.ts';
import { conversationRoutes } from './routes/conversations.ts';
import { docsRoutes } from './routes/docs.ts';
import { eventStreamRoutes } from './routes/eventStream.ts';
import { historyRoutes } from './routes/history.ts';
import { messageRoutes } from './routes/messages.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { presenceRoutes } from './routes/presence.ts';
import { receiptRoutes } from './routes/receipts.ts';
import { searchRoutes } from './routes/search.ts';
import { uploadRoutes } from './uploads/routes.ts';

/** The HTTP API as an Express app, without a server; see `startHttpServer`. */
export function createHttpApp(deps: HttpDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // Queries are read by each route through its schema, strictly; Express' lenient reading stays out of the way.
  app.set('query parser', false);
  app.set(BODY_MS_SETTING, deps.operations.standardHeaders?.bodyMsMax);
  app.set(USER_HEADER_SETTING, deps.operations.userHeader);
  app.use(requestId, requestLog(deps.operations.logger));
  standardHeaders(app, deps.operations.standardHeaders);
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
