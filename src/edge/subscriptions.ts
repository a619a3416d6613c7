import { isParticipant, maySee, viewConversation } from '../application/reading/viewConversation.ts';
import { ChatError } from '../contracts/errors.ts';
import { type FrameOf, INBOX } from '../contracts/frames/clientFrames.ts';
import type { ConversationState } from '../domain/conversation/state.ts';
import type { Channel, Subscriber } from './channel.ts';
import type { SessionContext } from './context.ts';
import type { InboxSubscriber } from './inbox.ts';
import { catchUp } from './resume/catchUp.ts';
import { tailReached } from './resume/tailReached.ts';
import type { ClientSocket } from './transport.ts';

/** One subscription to a conversation, from the join to the leave; joining again makes another one. */
class Subscription implements Subscriber {
  readonly conversationId: string;
  readonly socket: ClientSocket;
  /** Made by the inbox, not by a join of this conversation. */
  readonly byInbox: boolean;
  readonly #owner: Subscriptions;
  /** `null` while the join is in flight. */
  channel: Channel | null = null;
  /** The client has everything up to the channel's head and gets what comes. */
  live = false;

  constructor(owner: Subscriptions, conversationId: string, byInbox: boolean) {
    this.#owner = owner;
    this.conversationId = conversationId;
    this.socket = owner.socket;
    this.byInbox = byInbox;
  }

  onOtherLog(): void {
    this.#owner.onOtherLog(this);
  }

  onParticipants(state: ConversationState): void {
    this.#owner.onParticipants(this, state);
  }

  leave(): void {
    this.channel?.leave(this);
  }
}

/** Conversations an inbox may follow while it catches up, as a multiple of those it may follow otherwise. */
const CATCHING_UP_FACTOR_MAX = 8;

interface Since {
  readonly after?: number | undefined;
  readonly epoch?: string | undefined;
}

/**
 * The conversations that one client follows: those it joined, and with the inbox those it takes part in, each from its
 * next event on.
 *
 * Joining again starts over: a client that is unsure where it stands asks again from what it has seen. A user who is
 * removed from a closed conversation is sent nothing more of it. After {@link Subscriptions.end} everything is given back.
 */
export class Subscriptions implements InboxSubscriber {
  readonly #context: SessionContext;
  readonly socket: ClientSocket;
  readonly #subscriptions = new Map<string, Subscription>();
  #joins = 0;
  /** Non-null while the inbox is followed: after which sequence, and whether what came since is still being checked. */
  #inbox: { readonly after: number; catchingUp: boolean } | null = null;
  /** Counts joins and leaves of the inbox, so that a join that waited notices being overtaken. */
  #inboxChanges = 0;

  constructor(context: SessionContext, socket: ClientSocket) {
    this.#context = context;
    this.socket = socket;
  }

  has(conversationId: string): boolean {
    return this.#subscriptions.get(conversationId)?.channel != null;
  }

  /** Replies by itself, because `joined` must come before the events. */
  async join(frame: FrameOf<'join'>): Promise<void> {
    if (frame.conversationId === INBOX) return this.#joinInbox(frame);
    const { conversationId } = frame;
    this.#quit(conversationId);
    const { joinsMax } = this.#context.options;
    if (this.#joins >= joinsMax) {
      throw new ChatError(
        'overloaded',
        `A socket follows at most ${joinsMax} conversations; leave one first.`,
      );
    }
    const subscription = this.#note(conversationId, false);
    try {
      await viewConversation(this.#context.application, conversationId, this.socket.userId);
      await this.#enter(subscription, frame, (head) => this.#joined(frame, head));
    } catch (error) {
      this.#quit(conversationId, subscription);
      throw error;
    }
  }

  leave(conversationId: string): void {
    if (conversationId === INBOX) this.#leaveInbox();
    else this.#quit(conversationId);
  }

  /** Something happened after `after` in a conversation of this user. */
  follow(conversationId: string, after: number): void {
    if (this.#inbox === null || this.#subscriptions.has(conversationId)) return;
    const from = this.#inbox.catchingUp ? this.#inbox.after : Math.max(after, this.#inbox.after);
    this.#makeRoom();
    if (this.#inbox === null) return;
    const subscription = this.#note(conversationId, true);
    this.#enter(subscription, { after: from }, () => {}).catch((error: unknown) => {
      if (!(error instanceof ChatError)) this.#context.options.onFault(error);
      this.#resync(subscription, 'expired');
    });
  }

  onOtherLog(subscription: Subscription): void {
    this.#resync(subscription, 'epoch');
  }

  /** A removed user is sent nothing more: of a closed conversation at all, of an open one by the inbox. */
  onParticipants(subscription: Subscription, state: ConversationState): void {
    const { conversationId, byInbox } = subscription;
    const { userId } = this.socket;
    const stays = byInbox ? isParticipant(state, userId) : maySee(state, userId);
    if (stays || !this.#holds(subscription)) return;
    this.#quit(conversationId, subscription);
    this.socket.reply({ op: 'left', id: null, conversationId });
  }

  loseInbox(): void {
    this.#leaveInbox();
    this.#noInbox('expired');
  }

  end(): void {
    this.#leaveInbox();
    for (const subscription of this.#subscriptions.values()) subscription.leave();
    this.#subscriptions.clear();
  }

  async #enter(
    subscription: Subscription,
    { after, epoch }: Since,
    onHead: (head: number) => void,
  ): Promise<void> {
    const channel = await this.#context.hub.open(subscription.conversationId, subscription);
    if (!this.#holds(subscription)) {
      channel.leave(subscription);
      throw overtaken();
    }
    subscription.channel = channel;
    const stale = await this.#isStale({ after, epoch }, channel.head);
    if (!stale && after !== undefined) await this.#untilTail(after, channel, () => this.#holds(subscription));
    if (!this.#holds(subscription)) throw overtaken();
    onHead(channel.head);
    if (stale) return this.#resync(subscription, 'epoch');
    const wanted = () => this.#holds(subscription) && this.socket.open;
    const request = { after: after ?? channel.head, wanted };
    const outcome = await catchUp(this.#context, this.socket, channel, request);
    subscription.live = outcome === 'live';
    if (outcome === 'expired') this.#resync(subscription, 'expired');
  }

  /** Whether `after` cannot be compared with this log. */
  async #isStale({ after, epoch }: Since, head: number): Promise<boolean> {
    const { log } = this.#context.application;
    if (epoch !== undefined && epoch !== log.epoch) return true;
    if (after === undefined || after <= Math.max(head, this.#context.recent.to)) return false;
    // Beyond the conversation's end is fine (another conversation's event), beyond the log's end is not.
    return after > (await log.status()).lastSeq;
  }

  /** @throws ChatError log_unavailable when the live feed does not get there */
  async #untilTail(after: number, channel: Channel, isWanted: () => boolean): Promise<void> {
    const { recent } = this.#context;
    if (after <= channel.head || (await tailReached(recent, after, isWanted)) || !isWanted()) return;
    throw new ChatError('log_unavailable', 'This edge has not read the log as far as you have; try again.');
  }

  async #joinInbox(frame: FrameOf<'join'>): Promise<void> {
    const { inbox, recent, application } = this.#context;
    this.#leaveInbox();
    const joining = this.#inboxChanges;
    const head = Math.max(recent.to, (await application.log.status()).lastSeq);
    const stale = await this.#isStale(frame, head);
    // Left, joined again or gone while the log answered: nothing would remove this subscriber from the inbox.
    if (joining !== this.#inboxChanges) throw overtaken();
    this.#joined(frame, head);
    if (stale) return this.#noInbox('epoch');
    const { after } = frame;
    const missed = after === undefined ? new Set<string>() : recent.conversationsAfter(after);
    if (missed === 'unknown') return this.#noInbox('expired');
    const state = { after: after ?? head, catchingUp: true };
    this.#inbox = state;
    inbox.add(this);
    try {
      for (const conversationId of missed) await inbox.check(conversationId, this, state.after);
    } finally {
      state.catchingUp = false;
    }
  }

  #noInbox(reason: 'epoch' | 'expired'): void {
    this.socket.reply({ op: 'resync', conversationId: INBOX, reason });
  }

  #leaveInbox(): void {
    this.#inboxChanges += 1;
    if (this.#inbox === null) return;
    this.#inbox = null;
    this.#context.inbox.remove(this);
    for (const [conversationId, { byInbox }] of this.#subscriptions) if (byInbox) this.#quit(conversationId);
  }

  /**
   * Keeps an inbox of very many conversations bounded: the oldest subscription that is live ends until the next event of
   * its conversation. One that is not live would miss that event.
   */
  #makeRoom(): void {
    const { joinsMax } = this.#context.options;
    const followed = this.#subscriptions.size - this.#joins;
    if (followed < joinsMax) return;
    for (const [conversationId, { byInbox, live }] of this.#subscriptions) {
      if (byInbox && live) return this.#quit(conversationId);
    }
    if (followed >= CATCHING_UP_FACTOR_MAX * joinsMax) this.loseInbox();
  }

  #joined(frame: FrameOf<'join'>, head: number): void {
    const { id, conversationId } = frame;
    const { epoch } = this.#context.application.log;
    this.socket.reply({ op: 'joined', id, conversationId, head, epoch });
  }

  #resync(subscription: Subscription, reason: 'epoch' | 'expired'): void {
    const { conversationId } = subscription;
    if (!this.#holds(subscription)) return;
    this.#quit(conversationId, subscription);
    this.socket.reply({ op: 'resync', conversationId, reason });
  }

  #note(conversationId: string, byInbox: boolean): Subscription {
    const subscription = new Subscription(this, conversationId, byInbox);
    this.#subscriptions.set(conversationId, subscription);
    if (!byInbox) this.#joins += 1;
    return subscription;
  }

  #holds(subscription: Subscription): boolean {
    return this.#subscriptions.get(subscription.conversationId) === subscription;
  }

  #quit(conversationId: string, subscription = this.#subscriptions.get(conversationId)): void {
    if (subscription === undefined || !this.#holds(subscription)) return;
    this.#subscriptions.delete(conversationId);
    if (!subscription.byInbox) this.#joins -= 1;
    this.socket.unsubscribe(conversationId);
    subscription.leave();
    if (this.#inbox !== null) this.#context.inbox.forget(conversationId);
  }
}

/** Answers a join that was overtaken: every request gets an answer. */
function overtaken(): ChatError {
  return new ChatError('conflict', 'The conversation was left, or joined again, before this join was done.');
}
