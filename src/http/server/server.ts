import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ChatError } from '../../contracts/errors.ts';
import { type HeaderList, securityHeaders } from '../../middleware/securityHeaders.ts';
import { LinkedList } from '../../platform/linkedList.ts';
import { type AnswerInFlight, type AnswersInFlight, answerClientErrors, rawProblem } from './clientErrors.ts';
import { expressPrototypes } from './expressPrototypes.ts';

export interface HttpServerOptions {
  readonly app: RequestListener;
  /** 0 takes a free one. */
  readonly port: number;
  /** Name of the setting that the port is from, for messages. Default `PORT`. */
  readonly portSetting?: string;
  /** Address to listen on. Default: all of them. */
  readonly host?: string;
  /** How long a client may take to send its headers, in milliseconds. Default 10,000. */
  readonly headersMsMax?: number;
  /**
   * How long a client may take to send a whole request, in milliseconds. Default 150,000: longer than uploads may take. JSON
   * bodies have a deadline of their own.
   */
  readonly requestMsMax?: number;
  /** How long a connection may be idle; longer than the proxy in front keeps it (60 s), in milliseconds. Default 65,000. */
  readonly idleMsMax?: number;
  /** How long nothing may move on a connection while a request is in flight, in milliseconds. Default 60,000. */
  readonly stalledMsMax?: number;
  /** How often connections are checked for the first two, in milliseconds. Default 2,000. */
  readonly checkEveryMs?: number;
  /** Connections at a time; more are closed at once. Default 10,000. */
  readonly connectionsMax?: number;
  /** What every answer carries that the app does not make itself. Default: {@link securityHeaders}. */
  readonly headers?: HeaderList;
}

export interface HttpServer {
  /** The port that was taken. */
  readonly port: number;
  /**
   * Takes no more connections, closes idle ones, finishes the requests in flight, and at the deadline closes what is
   * left.
   *
   * @returns how many requests were cut off
   */
  stop(options?: { deadlineMs?: number }): Promise<number>;
}

const HEADER_BYTES_MAX = 16 * 1_024;
const STOP_MS_MAX = 10_000;

/**
 * Serves an app.
 *
 * @throws Error that says which port cannot be had and which setting names it
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const inFlight: AnswersInFlight = new LinkedList();
  const server = createServer({
    ...expressPrototypes(options.app),
    headersTimeout: options.headersMsMax ?? 10_000,
    requestTimeout: options.requestMsMax ?? 150_000,
    keepAliveTimeout: options.idleMsMax ?? 65_000,
    maxHeaderSize: HEADER_BYTES_MAX,
    connectionsCheckingInterval: options.checkEveryMs ?? 2_000,
    // The app refuses requests without one, with a problem.
    requireHostHeader: false,
  });
  server.maxConnections = options.connectionsMax ?? 10_000;
  // Node drops those that are too many in silence; the app refuses such requests, and the bytes bound how many there are.
  server.maxHeadersCount = 0;
  // A client that does not read its answer; event streams beat more often than this.
  server.timeout = options.stalledMsMax ?? 60_000;
  const headers = options.headers ?? securityHeaders();
  server.on('clientError', answerClientErrors({ headers, inFlight }));
  server.on('connect', (_req, socket) => {
    socket.end(rawProblem(new ChatError('method_not_allowed', 'This is no proxy.'), headers));
  });
  const serve: RequestListener = (req, res) => {
    const answer: AnswerInFlight = { res, previous: null, next: null };
    inFlight.push(answer);
    res.once('close', () => inFlight.remove(answer));
    if (!server.listening) res.setHeader('Connection', 'close');
    options.app(req, res);
  };
  // Expectations other than 100-continue may be ignored (RFC 9110, 10.1.1).
  server.on('request', serve).on('checkExpectation', serve);
  const port = await listen(server, options);
  return { port, stop: ({ deadlineMs = STOP_MS_MAX } = {}) => stop(server, inFlight, deadlineMs) };
}

async function listen(
  server: Server,
  { port, host, portSetting = 'PORT' }: HttpServerOptions,
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(portError(cause, port, portSetting)));
    server.listen({ port, ...(host !== undefined && { host }) }, resolve);
  });
  return boundPort(server.address());
}

function boundPort(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('An HTTP server listens on a port');
  return address.port;
}

function portError(cause: NodeJS.ErrnoException, port: number, setting: string): Error {
  const other = `set ${setting} to another one (0 takes any that is free)`;
  if (cause.code === 'EADDRINUSE') {
    return new Error(`Port ${port} (${setting}) is taken: end what listens there or ${other}.`, { cause });
  }
  if (cause.code === 'EACCES') {
    return new Error(`Port ${port} (${setting}) needs rights this process has not: ${other}.`, { cause });
  }
  return new Error(`Port ${port} (${setting}) cannot be listened on: ${cause.message}.`, { cause });
}

async function stop(server: Server, inFlight: AnswersInFlight, deadlineMs: number): Promise<number> {
  let cutOff = 0;
  const deadline = setTimeout(() => {
    cutOff = inFlight.size;
    server.closeAllConnections();
  }, deadlineMs);
  for (const { res } of inFlight) closeAfter(server, res);
  // Also closes connections that are idle now.
  await new Promise<void>((resolve) => server.close(() => resolve()));
  clearTimeout(deadline);
  return cutOff;
}

/** The client learns that this answer is the last on its connection, or loses the connection after it. */
function closeAfter(server: Server, res: ServerResponse): void {
  if (!res.headersSent) res.setHeader('Connection', 'close');
  res.once('close', () => server.closeIdleConnections());
}
