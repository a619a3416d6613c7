import { fullJitterMs } from './backoff.ts';
import { Alarm } from './clock.ts';
import { type ConnectionEvent, type ConnectionState, nextConnectionState } from './connectionStates.ts';
import { ClientClosedError, ConnectionRefusedError } from './errors.ts';
import { Liveness } from './liveness.ts';
import { RETRY_AFTER_MS_MAX, type Settings } from './options.ts';
import { CLOSE_CODE, type ClientFrame, type ServerFrame } from './protocol.ts';
import { Socket } from './socket.ts';
import type { WebSocketConstructor } from './webSocket.ts';

/** What a connection tells its owner. */
export interface ConnectionOwner {
  /** Requests go out from now on. */
  onOpen(): void;
  /** What was not answered yet never will be. */
  onLost(): void;
  onFrame(frame: ServerFrame): void;
  onState(state: ConnectionState): void;
  /** For good. */
  onClosed(reason: ClientClosedError | ConnectionRefusedError): void;
  nextRequestId(): number;
}

/**
 * One connection to the edge that is opened again whenever it is lost.
 *
 *              start            opened             drain
 *     idle ───────────▶ connecting ─────▶ open ─────────────▶ draining
 *                        ▲  │              │                   │    │
 *          retry, start  │  │ lost         │ lost         lost │    │ retry
 *                        │  ▼              ▼                   │    ▼
 *                       waiting ◀──────────┴───────────────────┘   connecting
 *
 *     from every state: refused (close codes 1008, 4003), stop ──▶ closed
 *
 * Invariants:
 * - There is a socket exactly in `connecting`, `open` and `draining`, and never more than one: what an earlier one still
 *   says is not listened to.
 * - `onOpen` and `onLost` alternate, starting with `onOpen`; `onClosed` comes once and last.
 * - In `waiting` a timer is set, so every state but `idle` and `closed` is left by itself.
 *
 * Delays before `retry`: after `draining`, what the server asked for; after 1013 and 4029, once to twice
 * `overloadedDelayMs`; otherwise exponential with full jitter, beginning again once a connection has held for
 * `stableAfterMs`. So a server that takes connections only to drop them is not hammered.
 */
export class Connection {
  readonly #settings: Settings;
  readonly #WebSocket: WebSocketConstructor;
  readonly #owner: ConnectionOwner;
  readonly #alarm: Alarm;
  readonly #liveness: Liveness;
  #state: ConnectionState = 'idle';
  #socket: Socket | null = null;
  #attempt = 0;
  #openedAtMs = 0;
  /** When the server that drains wants to be asked again. */
  #retryAtMs: number | null = null;
  #closeReason: ClientClosedError | ConnectionRefusedError | null = null;

  constructor(settings: Settings, WebSocket: WebSocketConstructor, owner: ConnectionOwner) {
    this.#settings = settings;
    this.#WebSocket = WebSocket;
    this.#owner = owner;
    this.#alarm = new Alarm(settings.clock);
    this.#liveness = new Liveness(settings, {
      ping: () => this.#socket?.send({ op: 'ping', id: owner.nextRequestId() }),
      onDead: () => this.#cut(),
    });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Why it is closed; null while it is not. */
  get closeReason(): ClientClosedError | ConnectionRefusedError | null {
    return this.#closeReason;
  }

  /** Connects, at once even if a delay is not over; asks a socket that is open whether it is still alive. */
  start(): void {
    if (this.#state === 'open' || this.#state === 'draining') this.#liveness.probe();
    else this.#go('start');
  }

  stop(): void {
    this.#closeReason ??= new ClientClosedError('The connection has ended');
    this.#go('stop');
  }

  /** @returns whether the frame was handed to a socket; it is not kept otherwise */
  send(frame: ClientFrame): boolean {
    if (this.#state !== 'open' || this.#socket === null) return false;
    this.#socket.send(frame);
    return true;
  }

  #go(event: ConnectionEvent): void {
    const from = this.#state;
    const to = nextConnectionState(from, event);
    if (from === to) return;
    this.#state = to;
    const wasOpen = from === 'open' || from === 'draining';
    if (wasOpen && to !== 'draining') this.#liveness.stop();
    if (to !== 'open' && to !== 'draining') this.#dropSocket();
    this.#enter(to);
    this.#owner.onState(to);
    if (wasOpen && to !== 'draining') this.#owner.onLost();
    if (this.#state !== to) return;
    if (to === 'open') this.#owner.onOpen();
    if (to === 'closed' && this.#closeReason !== null) this.#owner.onClosed(this.#closeReason);
  }

  #enter(state: ConnectionState): void {
    const { clock, connectTimeoutMs } = this.#settings;
    switch (state) {
      case 'connecting':
        this.#retryAtMs = null;
        this.#alarm.set(connectTimeoutMs, () => this.#cut());
        this.#openSocket();
        return;
      case 'open':
        this.#alarm.clear();
        this.#openedAtMs = clock.nowMs();
        this.#liveness.start();
        return;
      case 'draining':
        this.#alarm.set(this.#untilRetryMs(), () => this.#go('retry'));
        return;
      case 'waiting':
        return;
      case 'idle':
      case 'closed':
        this.#alarm.clear();
    }
  }

  #openSocket(): void {
    try {
      this.#socket = new Socket(this.#WebSocket, this.#settings, {
        onOpen: () => this.#go('opened'),
        onFrame: (frame) => this.#take(frame),
        onHeard: () => this.#liveness.heard(),
        onClose: (code, reason) => this.#onClose(code, reason),
      });
    } catch {
      // A `url` function gave no URL. It is asked again; thrown from a timer, nobody could catch it.
      this.#alarm.set(0, () => this.#lost(null));
    }
  }

  /** A socket that is dead or does not open. */
  #cut(): void {
    this.#socket?.cut();
    this.#socket = null;
    this.#lost(null);
  }

  #take(frame: ServerFrame | null): void {
    if (frame === null) return;
    if (frame.op === 'draining') {
      this.#retryAtMs =
        this.#settings.clock.nowMs() + Math.min(Math.max(0, frame.retryAfterMs), RETRY_AFTER_MS_MAX);
      this.#go('drain');
    } else if (frame.op !== 'pong') this.#owner.onFrame(frame);
  }

  #onClose(code: number, reason: string): void {
    if (code === CLOSE_CODE.policy || code === CLOSE_CODE.blocked) {
      this.#closeReason ??= new ConnectionRefusedError(this.#settings.url(), code, reason);
      this.#go('refused');
    } else this.#lost(code);
  }

  #lost(code: number | null): void {
    if (this.#state === 'idle' || this.#state === 'waiting' || this.#state === 'closed') return;
    const { clock, stableAfterMs } = this.#settings;
    const held = this.#state !== 'connecting' && clock.nowMs() - this.#openedAtMs >= stableAfterMs;
    if (held) this.#attempt = 0;
    // Set before the state changes: a listener may already close the client.
    this.#alarm.set(this.#delayMs(code), () => this.#go('retry'));
    this.#go('lost');
  }

  #delayMs(code: number | null): number {
    const { overloadedDelayMs, reconnectDelayMsBase, reconnectDelayMsMax, random } = this.#settings;
    if (this.#retryAtMs !== null) return this.#untilRetryMs();
    if (code === CLOSE_CODE.overloaded || code === CLOSE_CODE.rateLimited) {
      return overloadedDelayMs * (1 + random());
    }
    const bounds = { baseMs: reconnectDelayMsBase, maxMs: reconnectDelayMsMax };
    return fullJitterMs(this.#attempt++, bounds, random);
  }

  #untilRetryMs(): number {
    return Math.max(0, (this.#retryAtMs ?? 0) - this.#settings.clock.nowMs());
  }

  #dropSocket(): void {
    this.#socket?.drop();
    this.#socket = null;
  }
}
