import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { ChatError } from '../contracts/errors.ts';
import { toProblem } from './problem.ts';

/**
 * Answers what is not HTTP, or not in time: there is no request for the app to answer. The connection is closed, as
 * nobody knows where on it a next request would begin.
 */
export function answerMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
    return;
  }
  const requestId = randomUUID();
  const { status, ...problem } = toProblem(meaningOf(error), requestId);
  const body = JSON.stringify({ ...problem, status });
  const headers = [
    `HTTP/1.1 ${status} ${problem.title}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'Connection: close',
  ];
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`);
}

function meaningOf(error: NodeJS.ErrnoException): ChatError {
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return new ChatError('payload_too_large', 'The headers and the path are too long.', { cause: error });
  }
  return new ChatError('invalid_request', 'This is not HTTP/1.1.', { cause: error });
}
