import type { IncomingMessage } from 'node:http';
import { ChatError } from '../../contracts/errors.ts';

export interface UploadPace {
  /** All of the body, at most. */
  readonly bytesMax: number;
  /** Silence that ends an upload while bytes are wanted, in milliseconds. */
  readonly stallMsMax: number;
  /** How long a whole upload may take, in milliseconds. */
  readonly uploadMsMax: number;
}

/** The client broke the connection: there is nobody to answer. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';
}

/**
 * Watches the body of an upload: how much comes, and how soon.
 *
 * @returns a signal that aborts with the reason when it is not to go on, and a function that ends the watch
 */
export function watchPace(
  req: IncomingMessage,
  { bytesMax, stallMsMax, uploadMsMax }: UploadPace,
): { signal: AbortSignal; end: () => void } {
  const watch = new AbortController();
  const { signal } = watch;
  let bytes = 0;
  let heardAtMs = performance.now();
  const onData = (chunk: Buffer) => {
    bytes += chunk.length;
    heardAtMs = performance.now();
    if (bytes > bytesMax) watch.abort(tooLarge(bytesMax));
  };
  const onGone = () => req.complete || watch.abort(new ClientGoneError('The client broke the upload off'));
  const everyMs = Math.min(1_000, stallMsMax / 4);
  const stalls = setInterval(() => {
    // While the store does not keep up nothing is wanted of the client: that is not its fault, and has a deadline of its own.
    if (req.isPaused() || req.complete) heardAtMs = performance.now();
    if (performance.now() - heardAtMs > stallMsMax) watch.abort(late(`no byte came for ${stallMsMax} ms`));
  }, everyMs);
  const deadline = setTimeout(() => watch.abort(late(`it took more than ${uploadMsMax} ms`)), uploadMsMax);
  req.on('data', onData).once('close', onGone);
  // Reading begins when the form is piped, not by being watched.
  req.pause();
  const end = () => {
    clearInterval(stalls);
    clearTimeout(deadline);
    req.off('data', onData).off('close', onGone);
  };
  return { signal, end };
}

function tooLarge(bytesMax: number): ChatError {
  return new ChatError('payload_too_large', `The upload has more than ${bytesMax} bytes.`);
}

function late(what: string): ChatError {
  return new ChatError('request_timeout', `The upload was ended: ${what}.`);
}
