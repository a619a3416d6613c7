import type uWS from 'uWebSockets.js';
import type {
  HttpRequest,
  HttpResponse,
  RecognizedString,
  us_socket_context_t,
  WebSocket,
  WebSocketBehavior,
} from 'uWebSockets.js';
import type { ChatError } from '../../../contracts/errors.ts';
import { FRAME_BYTES_HARD_MAX, FRAME_BYTES_MAX } from '../../../contracts/frames/clientFrames.ts';
import type { HeaderList } from '../../../middleware/securityHeaders.ts';
import type { Gate } from '../../gate/gate.ts';
import type { AnswerHeaders } from '../../http/answerHeaders.ts';
import { refuse } from '../../http/refuse.ts';
import { cutOffTwoLengths } from '../../http/requestBody.ts';
import type { RequestUser } from '../../http/requestUser.ts';
import { GuardedResponse } from './guardedResponse.ts';
import { GuardedSocket } from './guardedSocket.ts';
import { isStreamed, StreamedBodies } from './streamedBody.ts';

export interface GuardOptions {
  readonly backpressureBytesMax: number;
  /** Asked for every request, and for every new session before anything is made for it. */
  readonly gate: Gate;
  readonly answerHeaders: AnswerHeaders;
  readonly users: RequestUser;
  readonly onFault: (error: unknown) => void;
}

type HttpHandler = (response: HttpResponse, request: HttpRequest) => void;

/**
 * The app as Engine.IO gets it: what it does is passed on to uWebSockets.js, minus what would hurt.
 *
 * - It sets no `closeOnBackpressureLimit`, so what a slow socket cannot take would vanish in silence. Here the socket is
 *   closed, and its client resumes.
 * - It touches responses and sockets that are gone, which throws and would end the process. Here that does nothing.
 * - It makes a session for everyone. Here the gate is asked first.
 * - It takes no body without a length. Here such a body is collected first.
 * - A frame that is too large ends its socket without a word. Here the close code says why, as on `/ws`.
 * - Its answers lack what those of everybody else here carry: security headers, the request's id, whose pages may read it.
 *
 * Source of what it calls: engine.io/lib/userver.ts and transports-uws/.
 */
export class GuardedApp {
  readonly #app: uWS.TemplatedApp;
  readonly #options: GuardOptions;
  readonly #streamed = new StreamedBodies();

  constructor(app: uWS.TemplatedApp, options: GuardOptions) {
    this.#app = app;
    this.#options = options;
  }

  publish(topic: RecognizedString, message: RecognizedString, isBinary: boolean): boolean {
    return this.#app.publish(topic, message, isBinary);
  }

  any(pattern: string, handler: HttpHandler): this {
    const { answerHeaders } = this.#options;
    this.#app.any(pattern, (response, request) => {
      const preflight = answerHeaders.preflightOf(request);
      if (preflight !== null) return answerPreflight(response, preflight);
      if (!this.#admits(response, request)) return;
      const guarded = new GuardedResponse(response, answerHeaders.readableOf(request));
      const take = (taken: HttpRequest) => this.#guard(() => handler(guarded.asResponse(), taken));
      // Without a session there is nothing to say yet: Engine.IO refuses that without reading it.
      if (!isStreamed(request) || !hasSession(request)) return take(request);
      const refused = (error: ChatError) => void guarded.refuse(error, true);
      this.#streamed.collect(request, guarded, { take, refuse: refused });
    });
    return this;
  }

  ws<UserData>(pattern: string, behavior: WebSocketBehavior<UserData>): this {
    const sockets = new WeakMap<WebSocket<UserData>, GuardedSocket>();
    const guarded = {
      ...behavior,
      maxPayloadLength: FRAME_BYTES_HARD_MAX,
      maxBackpressure: this.#options.backpressureBytesMax,
      closeOnBackpressureLimit: 1,
      upgrade: (response: HttpResponse, request: HttpRequest, context: us_socket_context_t) => {
        if (!this.#admits(response, request)) return;
        const { answerHeaders } = this.#options;
        const answer = new GuardedResponse(response, answerHeaders.readableOf(request));
        this.#guard(() => behavior.upgrade?.(answer.asResponse(), request, context));
      },
      open: (ws: WebSocket<UserData>) => {
        const socket = new GuardedSocket(ws);
        sockets.set(ws, socket);
        this.#guard(() => behavior.open?.(socket as unknown as WebSocket<UserData>));
      },
      message: (ws: WebSocket<UserData>, message: ArrayBuffer, isBinary: boolean) => {
        if (message.byteLength > FRAME_BYTES_MAX) return sockets.get(ws)?.endTooLarge();
        this.#guard(() => behavior.message?.(ws, message, isBinary));
      },
      drain: (ws: WebSocket<UserData>) => sockets.get(ws)?.onDrain?.(),
      dropped: (ws: WebSocket<UserData>) => sockets.get(ws)?.onDropped?.(),
      close: (ws: WebSocket<UserData>, code: number, message: ArrayBuffer) => {
        sockets.get(ws)?.markClosed();
        this.#guard(() => behavior.close?.(ws, code, message));
      },
    };
    this.#app.ws<UserData>(pattern, guarded);
    return this;
  }

  #admits(response: HttpResponse, request: HttpRequest): boolean {
    if (cutOffTwoLengths(response, request)) return false;
    const error = this.#refusalOf(request);
    if (error === null) return true;
    refuse(response, error, { headers: this.#options.answerHeaders.readableOf(request) });
    return false;
  }

  /** A request with a session belongs to a connection that was let in; one without asks for a new one. */
  #refusalOf(request: HttpRequest): ChatError | null {
    const newcomer = { transport: 'socketio-polling', origin: request.getHeader('origin') } as const;
    const { gate, users } = this.#options;
    // Engine.IO keeps the last of two headers, a proxy may have meant the first.
    const doubled = users.refusalOf(request);
    if (doubled !== null) return doubled;
    // An unknown session is no newcomer either: Engine.IO refuses it.
    return hasSession(request) ? gate.readmit(newcomer) : gate.admit(newcomer);
  }

  #guard(work: () => unknown): void {
    try {
      const outcome = work();
      if (outcome instanceof Promise) outcome.catch(this.#options.onFault);
    } catch (error) {
      this.#options.onFault(error);
    }
  }
}

/** Read as Engine.IO reads it: of several ids the last counts, and an empty one is none. */
function hasSession(request: HttpRequest): boolean {
  const sid = new URLSearchParams(request.getQuery()).getAll('sid').at(-1) ?? '';
  return sid !== '';
}

function answerPreflight(response: HttpResponse, headers: HeaderList): void {
  response.cork(() => {
    response.writeStatus('204 No Content');
    for (const [name, value] of headers) response.writeHeader(name, value);
    response.endWithoutBody();
  });
}
