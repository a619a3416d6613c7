import type { HttpRequest, HttpResponse } from 'uWebSockets.js';

/** Whether a request announces a body. */
export function hasBody(request: HttpRequest): boolean {
  const length = request.getHeader('content-length');
  return (length !== '' && length !== '0') || request.getHeader('transfer-encoding') !== '';
}

/**
 * Cuts off a request with two content lengths. uWebSockets.js believes the first; a proxy on the way may have believed
 * the other, and takes what is left for the next request. There is no answer: uWebSockets.js would serve what
 * follows before it closes.
 *
 * @returns whether the connection is gone
 */
export function cutOffTwoLengths(response: HttpResponse, request: HttpRequest): boolean {
  let lengths = 0;
  request.forEach((name) => {
    if (name === 'content-length') lengths += 1;
  });
  if (lengths > 1) response.close();
  return lengths > 1;
}
