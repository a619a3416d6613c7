import { once } from 'node:events';
import WebSocket from 'ws';
import { waitFor } from '../time/waitFor.ts';

export interface SeenEvent {
  readonly seq: number;
  readonly prev: number;
  readonly event: Record<string, unknown> & { type: string };
}

interface Frame {
  readonly op: string;
  readonly id?: number;
  readonly [field: string]: unknown;
}

/** A client of the native protocol, as somebody else would write it: remembers what it saw, resumes from there. */
export class ChatClient {
  readonly #edgeUrl: () => string;
  readonly userId: string;
  #socket: WebSocket | null = null;
  #requestId = 0;
  readonly frames: Frame[] = [];
  readonly events: SeenEvent[] = [];

  constructor(edgeUrl: () => string, userId: string) {
    this.#edgeUrl = edgeUrl;
    this.userId = userId;
  }

  async connect(): Promise<void> {
    const socket = new WebSocket(
      `${this.#edgeUrl()}/ws?userId=${encodeURIComponent(this.userId)}`,
      'chat.v1',
    );
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('message', (data) => this.#take(JSON.parse(data.toString())));
    await once(socket, 'open');
  }

  get lastSeq(): number {
    return this.events.at(-1)?.seq ?? 0;
  }

  /** @returns the server's answer; waits for it */
  async request(request: Record<string, unknown>): Promise<Frame> {
    this.#requestId += 1;
    const id = this.#requestId;
    this.#socket?.send(JSON.stringify({ ...request, id }));
    return waitFor(`the answer to ${String(request.op)}`, () => this.frames.find((frame) => frame.id === id));
  }

  /** Joins from what this client has seen. */
  join(conversationId: string): Promise<Frame> {
    return this.request({ op: 'join', conversationId, after: this.lastSeq });
  }

  send(conversationId: string, clientMessageId: string, content: string): Promise<Frame> {
    return this.request({ op: 'send', conversationId, clientMessageId, content });
  }

  /** Cuts the connection without a goodbye. */
  drop(): void {
    this.#socket?.terminate();
  }

  #take(frame: Frame): void {
    if (frame.op === 'event') {
      const { seq, prev, event } = frame as unknown as SeenEvent;
      this.events.push({ seq, prev, event });
    } else this.frames.push(frame);
  }
}
