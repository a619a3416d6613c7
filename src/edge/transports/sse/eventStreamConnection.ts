import type { ServerResponse } from 'node:http';
import type { Disconnect } from '../../../contracts/frames/disconnects.ts';
import type { ServerFrame } from '../../../contracts/frames/serverFrames.ts';
import type { SessionContext } from '../../context.ts';
import type { CloseReason } from '../../edgeEvents.ts';
import type { LinkedEvent } from '../../linkedEvent.ts';
import { Subscriptions } from '../../subscriptions.ts';
import type { ClientSocket, Fanout } from '../../transport.ts';

export interface EventStreamConnectionOptions {
  readonly userId: string;
  readonly fanout: Fanout;
  /** Subscribers by conversation; kept by the connections themselves. */
  readonly followers: Map<string, Set<EventStreamConnection>>;
  /** Bytes that may wait for a client that does not read. */
  readonly unsentBytesMax: number;
  /** Beats until the stream ends by itself, and its client comes back. */
  readonly beatsMax: number;
  readonly onSlow: () => void;
  readonly onClose: () => void;
}

export interface EventStreamJoin {
  readonly conversationId: string;
  readonly after?: number | undefined;
  readonly epoch?: string | undefined;
}

const HIGH_WATER_BYTES = 64 * 1_024;
/** Beats for which a client may take nothing of what waits for it, before its stream is closed. */
const UNTAKEN_BEATS_MAX = 3;
/** When a browser comes back to a stream that has lasted its time, in milliseconds. */
const AGAIN_MS = 100;
/** When a browser comes back after a cut, in milliseconds, until the stream says otherwise: sooner than browsers choose themselves. */
const RETRY_MS = 2_000;

/**
 * One event stream. Events have no name, so that `onmessage` gets them; notices are named `joined`, `resync`, `typing`,
 * `left` and `draining`. After a `resync` the stream goes on live: the client reloads what it missed from the history.
 *
 * A frame from which a client can go on has an id, `joined` too: a stream that is cut before its first event is resumed
 * from where it began. The id of `joined` is the client's own `after`, because the events up to the head come only then.
 */
export class EventStreamConnection implements ClientSocket {
  readonly #response: ServerResponse;
  readonly #context: SessionContext;
  readonly #options: EventStreamConnectionOptions;
  readonly #subscriptions: Subscriptions;
  #checking = false;
  #beats = 0;
  /** Beats that wait for a client to take what was written before them. */
  #untakenBeats = 0;
  /** The last event that the client had when it joined; `undefined`: it wants what comes. */
  #after: number | undefined;
  open = true;
  closeReason: CloseReason = 'client';

  constructor(response: ServerResponse, context: SessionContext, options: EventStreamConnectionOptions) {
    this.#response = response;
    this.#context = context;
    this.#options = options;
    this.#subscriptions = new Subscriptions(context, this);
    if (this.userId !== '') context.presence.connected(this.userId);
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      // Proxies that buffer would hold events back.
      'X-Accel-Buffering': 'no',
    });
    response.write(`retry:${RETRY_MS}\n\n`);
    response.once('close', () => this.#onClose());
    response.on('error', () => {});
  }

  get userId(): string {
    return this.#options.userId;
  }

  get fanout(): Fanout {
    return this.#options.fanout;
  }

  /** The answer has begun: what fails now can only end the stream, and the client comes back with its last id. */
  async join(join: EventStreamJoin): Promise<void> {
    this.#after = join.after;
    try {
      await this.#subscriptions.join({ op: 'join', id: 0, ...join });
    } catch (error) {
      this.#context.options.onFault(error);
      this.#end('error');
    }
  }

  /**
   * Called at intervals. A client that is frozen looks like one that is quiet: its system takes what is written until its
   * buffers are full. So a stream also ends when it has lasted its time, and whose client does not come back is not there.
   */
  beat(): void {
    if (!this.open) return;
    this.#beats += 1;
    if (this.#beats >= this.#options.beatsMax) return this.#endForNow();
    if (this.#untakenBeats >= UNTAKEN_BEATS_MAX) return this.#closeAsSlow();
    this.#untakenBeats += 1;
    this.#response.write(':\n\n', () => {
      this.#untakenBeats = 0;
    });
  }

  #endForNow(): void {
    this.#response.write(`retry:${AGAIN_MS}\n\n`);
    this.#end('client');
  }

  reply(frame: ServerFrame): void {
    if (!this.open) return;
    const { op, ...rest } = frame;
    if (op === 'draining' && 'retryAfterMs' in rest) this.#response.write(`retry:${rest.retryAfterMs}\n`);
    const id = frame.op === 'joined' ? `id:${this.#after ?? frame.head}\n` : '';
    this.#response.write(`${id}event:${op}\ndata:${JSON.stringify({ ...rest, id: undefined })}\n\n`);
    if (frame.op === 'resync') void this.join({ conversationId: frame.conversationId });
    if (frame.op === 'left') this.#end('policy');
  }

  deliver(event: LinkedEvent): boolean {
    if (!this.open) return false;
    this.#response.write(event.frame('sse'));
    const unsent = this.#response.writableLength;
    if (unsent > this.#options.unsentBytesMax && !this.#checking) {
      this.#checking = true;
      // Node hands what is written to the system at the end of the turn: only what is left then was not taken.
      setImmediate(() => this.#closeIfSlow());
    }
    return unsent < HIGH_WATER_BYTES;
  }

  #closeIfSlow(): void {
    this.#checking = false;
    if (!this.open || this.#response.writableLength <= this.#options.unsentBytesMax) return;
    this.#closeAsSlow();
  }

  #closeAsSlow(): void {
    this.#options.onSlow();
    this.closeReason = 'slow_consumer';
    this.#response.destroy();
  }

  drained(): Promise<void> {
    if (!this.open || !this.#response.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#response.off('drain', done).off('close', done);
        resolve();
      };
      this.#response.once('drain', done).once('close', done);
    });
  }

  subscribe(conversationId: string): void {
    if (!this.open) return;
    const { followers } = this.#options;
    followers.set(conversationId, (followers.get(conversationId) ?? new Set()).add(this));
  }

  unsubscribe(conversationId: string): void {
    const { followers } = this.#options;
    const others = followers.get(conversationId);
    others?.delete(this);
    if (others?.size === 0) followers.delete(conversationId);
  }

  /** An answer has no close code: the stream ends, and its client comes back. */
  close({ metric }: Disconnect): void {
    this.#end(metric);
  }

  #end(closeReason: CloseReason): void {
    if (!this.open) return;
    this.closeReason = closeReason;
    this.#response.end();
  }

  #onClose(): void {
    if (!this.open) return;
    this.open = false;
    this.#subscriptions.end();
    if (this.userId !== '') this.#context.presence.disconnected(this.userId);
    this.#options.onClose();
  }
}
