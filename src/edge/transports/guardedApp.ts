import type uWS from 'uWebSockets.js';
import type {
  HttpRequest,
  HttpResponse,
  RecognizedString,
  us_socket_context_t,
  WebSocket,
  WebSocketBehavior,
} from 'uWebSockets.js';
import type { Admission } from '../admission.ts';
import { GuardedResponse } from './guardedResponse.ts';
import { GuardedSocket } from './guardedSocket.ts';
import { refuse } from './refuse.ts';

export interface GuardOptions {
  readonly backpressureBytesMax: number;
  /** Asked for every new session, before anything is made for it. */
  readonly admit: () => Admission;
  readonly onFault: (error: unknown) => void;
}

type HttpHandler = (response: HttpResponse, request: HttpRequest) => void;

/**
 * The app as Engine.IO gets it: what it does is passed on to uWebSockets.js, minus three things that would hurt.
 *
 * - It sets no `closeOnBackpressureLimit`, so what a slow socket cannot take would vanish in silence. Here the socket is
 *   closed, and its client resumes.
 * - It touches responses and sockets that are gone, which throws and would end the process. Here that does nothing.
 * - It makes a session for everyone. Here {@link GuardOptions.admit} is asked first.
 *
 * Source of what it calls: engine.io/lib/userver.ts and transports-uws/.
 */
export class GuardedApp {
  readonly #app: uWS.TemplatedApp;
  readonly #options: GuardOptions;

  constructor(app: uWS.TemplatedApp, options: GuardOptions) {
    this.#app = app;
    this.#options = options;
  }

  publish(topic: RecognizedString, message: RecognizedString, isBinary: boolean): boolean {
    return this.#app.publish(topic, message, isBinary);
  }

  any(pattern: string, handler: HttpHandler): this {
    this.#app.any(pattern, (response, request) => {
      if (!this.#admits(response, request)) return;
      this.#guard(() => handler(new GuardedResponse(response).asResponse(), request));
    });
    return this;
  }

  ws<UserData>(pattern: string, behavior: WebSocketBehavior<UserData>): this {
    const sockets = new WeakMap<WebSocket<UserData>, GuardedSocket>();
    const guarded = {
      ...behavior,
      maxBackpressure: this.#options.backpressureBytesMax,
      closeOnBackpressureLimit: 1,
      upgrade: (response: HttpResponse, request: HttpRequest, context: us_socket_context_t) => {
        if (!this.#admits(response, request)) return;
        this.#guard(() => behavior.upgrade?.(new GuardedResponse(response).asResponse(), request, context));
      },
      open: (ws: WebSocket<UserData>) => {
        const socket = new GuardedSocket(ws);
        sockets.set(ws, socket);
        this.#guard(() => behavior.open?.(socket as unknown as WebSocket<UserData>));
      },
      message: (ws: WebSocket<UserData>, message: ArrayBuffer, isBinary: boolean) => {
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

  /** Only who comes without a session asks for one. */
  #admits(response: HttpResponse, request: HttpRequest): boolean {
    if (/(^|&)sid=/.test(request.getQuery() ?? '')) return true;
    const admission = this.#options.admit();
    if (admission.admitted) return true;
    const detail = 'This edge takes no more connections just now.';
    refuse(response, { status: 503, code: 'overloaded', detail, ...admission });
    return false;
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
