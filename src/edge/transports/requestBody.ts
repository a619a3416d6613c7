import type { HttpRequest } from 'uWebSockets.js';

/** Whether a request says that a body follows its headers. */
export function hasBody(request: HttpRequest): boolean {
  const length = request.getHeader('content-length');
  return (length !== '' && length !== '0') || request.getHeader('transfer-encoding') !== '';
}

/**
 * Whether a request says more than once how long its body is. uWebSockets.js believes the first; somebody on the way may
 * have believed the other, and takes what is left for the next request.
 */
export function hasTwoLengths(request: HttpRequest): boolean {
  let lengths = 0;
  request.forEach((name) => {
    if (name === 'content-length') lengths += 1;
  });
  return lengths > 1;
}
