import { asChatError } from '../application/append.ts';
import type { ApplicationContext } from '../application/context.ts';
import { postMessage } from '../application/postMessage.ts';
import { viewConversation } from '../application/viewConversation.ts';
import { ChatError } from '../contracts/errors.ts';
import type { ClientFrame, FrameOf, ServerFrame } from '../contracts/frames.ts';
import { catchUp } from './catchUp.ts';
import { MalformedFrame, parseClientFrame } from './clientFrame.ts';
import type { Channel, Hub } from './hub.ts';
import { encodeServerFrame } from './serverFrame.ts';
import type { ClientSocket } from './socket.ts';

export interface SessionOptions {
  /** Conversations that one socket follows at a time, at most. */
  readonly joinsMax: number;
  /** Requests of one socket that are under way at a time, at most. */
  readonly requestsMax: number;
  /** Told of faults that are nobody's mistake. */
  readonly onFault: (error: unknown) => void;
}

export interface SessionContext {
  readonly application: ApplicationContext;
  readonly hub: Hub;
  readonly options: SessionOptions;
}

/** `channel` is null while the join is still being carried out. */
interface Membership {
  channel: Channel | null;
}

/**
 * What one connected client does: join, leave, send, ping. Knows neither NATS nor what carries the frames.
 *
 * Every request gets exactly one answer: its reply or an `error`. A request that fails affects nothing but itself.
 * After {@link Session.end} nothing is sent any more and everything the session held is given back.
 */
export class Session {
  readonly #context: SessionContext;
  readonly #socket: ClientSocket;
  readonly #memberships = new Map<string, Membership>();
  #underWay = 0;

  constructor(context: SessionContext, socket: ClientSocket) {
    this.#context = context;
    this.#socket = socket;
  }

  /** Requests that were not answered yet: what a graceful stop waits for. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Takes one text frame from the client. */
  receive(text: string): void {
    const parsed = parseClientFrame(text);
    if (parsed instanceof MalformedFrame) this.#fail(parsed.id, parsed.error);
    else if (this.#underWay >= this.#context.options.requestsMax) {
      this.#fail(parsed.id, new ChatError('overloaded', 'Too many requests of this socket are under way.'));
    } else this.#answer(parsed);
  }

  end(): void {
    for (const { channel } of this.#memberships.values()) channel?.close();
    this.#memberships.clear();
  }

  /** One promise chain for each request, and no more: this runs for every message. */
  #answer(frame: ClientFrame): void {
    this.#underWay += 1;
    this.#perform(frame).then(
      (reply) => this.#finish(reply),
      (error) => this.#finish(this.#failure(frame.id, asChatError(error))),
    );
  }

  #finish(reply: ServerFrame | null): void {
    this.#underWay -= 1;
    if (reply !== null) this.#reply(reply);
  }

  /** @returns the answer, or null when it was sent already */
  #perform(frame: ClientFrame): Promise<ServerFrame | null> {
    switch (frame.op) {
      case 'send':
        return this.#send(frame);
      case 'join':
        return this.#join(frame);
      case 'leave':
        return Promise.resolve(this.#leave(frame));
      case 'ping':
        return Promise.resolve({ op: 'pong', id: frame.id });
    }
  }

  #send(frame: FrameOf<'send'>): Promise<ServerFrame> {
    const { conversationId, content, clientMessageId, replyTo, id } = frame;
    const request = { conversationId, userId: this.#socket.userId, content, clientMessageId, replyTo };
    return postMessage(this.#context.application, request).then(({ messageId, seq, duplicate }) => {
      return { op: 'ack', id, messageId, seq, level: 'accepted', duplicate };
    });
  }

  /** Answers by itself, because `joined` must come before the events. */
  async #join(frame: FrameOf<'join'>): Promise<null> {
    const { conversationId } = frame;
    const earlier = this.#memberships.get(conversationId);
    // Joining again starts over: a client that is unsure where it stands asks again from what it has seen.
    if (earlier !== undefined) this.#quit(conversationId, earlier);
    if (this.#memberships.size >= this.#context.options.joinsMax) {
      const max = this.#context.options.joinsMax;
      throw new ChatError('overloaded', `A socket follows at most ${max} conversations; leave one first.`);
    }
    const membership: Membership = { channel: null };
    this.#memberships.set(conversationId, membership);
    try {
      await this.#enter(frame, membership);
      return null;
    } catch (error) {
      this.#quit(conversationId, membership);
      throw error;
    }
  }

  async #enter(frame: FrameOf<'join'>, membership: Membership): Promise<void> {
    const { conversationId } = frame;
    await viewConversation(this.#context.application, conversationId, this.#socket.userId);
    const channel = await this.#context.hub.open(conversationId);
    if (!this.#holds(conversationId, membership)) return channel.close();
    membership.channel = channel;
    const stale = await this.#staleReason(frame, channel);
    if (!this.#holds(conversationId, membership)) return;
    const { head } = channel;
    this.#reply({
      op: 'joined',
      id: frame.id,
      conversationId,
      head,
      epoch: this.#context.application.log.epoch,
    });
    if (stale !== null) return this.#resync(conversationId, membership, stale);
    if (frame.after === undefined || frame.after >= head) return this.#socket.subscribe(conversationId);
    const wanted = () => this.#holds(conversationId, membership) && this.#socket.open;
    const outcome = await catchUp(this.#context.application, this.#socket, channel, {
      after: frame.after,
      wanted,
    });
    if (outcome === 'behind') this.#resync(conversationId, membership, 'expired');
  }

  /** Why `after` cannot be compared with this log; `null` when it can. */
  async #staleReason(frame: FrameOf<'join'>, channel: Channel): Promise<'epoch' | null> {
    const { log } = this.#context.application;
    if (frame.epoch !== undefined && frame.epoch !== log.epoch) return 'epoch';
    if (frame.after === undefined || frame.after <= channel.head) return null;
    // Beyond the conversation's end is fine (another conversation's event), beyond the log's end is not.
    return frame.after > (await log.status()).lastSeq ? 'epoch' : null;
  }

  #resync(conversationId: string, membership: Membership, reason: 'epoch' | 'expired'): void {
    this.#quit(conversationId, membership);
    this.#reply({ op: 'resync', conversationId, reason });
  }

  #leave(frame: FrameOf<'leave'>): ServerFrame {
    const { conversationId } = frame;
    const membership = this.#memberships.get(conversationId);
    if (membership !== undefined) this.#quit(conversationId, membership);
    return { op: 'left', id: frame.id, conversationId };
  }

  #holds(conversationId: string, membership: Membership): boolean {
    return this.#memberships.get(conversationId) === membership;
  }

  #quit(conversationId: string, membership: Membership): void {
    if (!this.#holds(conversationId, membership)) return;
    this.#memberships.delete(conversationId);
    this.#socket.unsubscribe(conversationId);
    membership.channel?.close();
  }

  #reply(frame: ServerFrame): void {
    this.#socket.send(encodeServerFrame(frame));
  }

  #fail(id: number | null, cause: unknown): void {
    this.#reply(this.#failure(id, cause));
  }

  #failure(id: number | null, cause: unknown): ServerFrame {
    if (!(cause instanceof ChatError)) this.#context.options.onFault(cause);
    const error =
      cause instanceof ChatError ? cause : new ChatError('internal', 'Something went wrong here.');
    const { code, message: detail, retryable, retryAfterMs, errors } = error;
    const optional = {
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...(errors.length > 0 && { errors }),
    };
    return { op: 'error', id, code, detail, retryable, ...optional };
  }
}
