import { fullJitterMs } from './backoff.ts';
import { Alarm } from './clock.ts';
import { Emitter } from './emitter.ts';
import { RemovedFromConversationError, RequestRefusedError } from './errors.ts';
import type { Settings } from './options.ts';
import { ConversationPositions, InboxPositions, type Link, type Positions } from './positions.ts';
import { type ClientFrame, type ErrorFrame, type EventFrame, INBOX, type JoinedFrame } from './protocol.ts';
import type { RoomEvents, RoomResync } from './roomEvents.ts';
import {
  nextSubscriptionState,
  type SubscriptionEvent,
  type SubscriptionState,
} from './subscriptionStates.ts';

/** What a subscription needs of its client. */
export interface SubscriptionLink {
  readonly settings: Settings;
  isOpen(): boolean;
  nextRequestId(): number;
  send(frame: ClientFrame): boolean;
  /** It has ended: nothing is handed to it any more. */
  onEnded(subscription: Subscription): void;
}

/** Where to begin. */
export interface JoinOptions {
  /** Everything behind this sequence is wanted. Default: what comes from now on. */
  readonly after?: number;
  /** The epoch under which `after` was seen: with it the server notices that the log is another one by now. */
  readonly epoch?: string;
}

/**
 * Follows one conversation, or the inbox, across connections. See `subscriptionStates.ts` for states and events.
 *
 * Invariants:
 * - Every event is emitted once and in order, or `resync` is: an event at or below the last sequence is dropped as a
 *   repeat; one whose `prev` is above it is not taken, but asked for again from the last sequence, at most `gapRetriesMax`
 *   times with nothing between, then the app gets a resync.
 * - The epoch is that of the sequences: it is kept until the app resumes, so that a connection lost between `joined` and
 *   `resync` does not make sequences of one log look like those of another.
 * - In `joining` and `waiting` a timer is set: an answer that does not come is asked for again.
 * - A join without `after` begins at the head that the first answer names; what an earlier membership still sends before
 *   that answer is not taken.
 */
export class Subscription {
  readonly conversationId: string;
  readonly emitter = new Emitter<RoomEvents & { ended: Error | null }>();
  readonly #link: SubscriptionLink;
  readonly #alarm: Alarm;
  readonly #positions: Positions;
  #state: SubscriptionState = 'offline';
  #epoch: string | null;
  #latest: { readonly head: number; readonly epoch: string } | null = null;
  #requestId: number | null = null;
  #gaps = 0;
  #refusals = 0;

  constructor(link: SubscriptionLink, conversationId: string, { after, epoch }: JoinOptions) {
    this.#link = link;
    this.conversationId = conversationId;
    this.#alarm = new Alarm(link.settings.clock);
    this.#epoch = epoch ?? null;
    const { inboxConversationsMax } = link.settings;
    this.#positions =
      conversationId === INBOX
        ? new InboxPositions(after ?? null, inboxConversationsMax)
        : new ConversationPositions(after ?? null);
  }

  get state(): SubscriptionState {
    return this.#state;
  }

  get lastSeq(): number | null {
    return this.#positions.lastSeq;
  }

  get epoch(): string | null {
    return this.#epoch;
  }

  /** Whether this is the number of the join that is under way. */
  awaits(requestId: number): boolean {
    return this.#state === 'joining' && this.#requestId === requestId;
  }

  onConnected(): void {
    this.#go('connected');
  }

  onLost(): void {
    this.#go('lost');
  }

  onJoined({ head, epoch }: JoinedFrame): void {
    this.#latest = { head, epoch };
    if (this.#epoch !== null && this.#epoch !== epoch) return this.#resync('epoch');
    const { after } = this.#positions;
    this.#epoch = epoch;
    this.#refusals = 0;
    if (after === null) this.#positions.reset(head);
    this.#go('joined');
    this.emitter.emit('joined', { type: 'joined', head, epoch, after });
  }

  onResync(reason: 'epoch' | 'expired'): void {
    this.#resync(reason);
  }

  onRefused(frame: ErrorFrame): void {
    if (frame.retryable) return this.#postpone(this.#refusals++, frame.retryAfterMs);
    const error = new RequestRefusedError(`Joining ${this.conversationId}`, frame);
    this.end(error);
    this.emitter.emit('error', error);
  }

  /** The user was removed from the conversation. */
  onRemoved(): void {
    const error = new RemovedFromConversationError(this.conversationId);
    this.end(error);
    this.emitter.emit('error', error);
  }

  onEvent({ seq, prev, event }: EventFrame): void {
    if (this.#state === 'paused' || this.#state === 'ended') return;
    const link: Link = {
      conversationId: event.conversationId,
      seq,
      prev,
      isEntrance: this.#isEntrance(event),
    };
    const verdict = this.#positions.judge(link);
    if (verdict === 'gap') return this.#onGap();
    if (verdict === 'repeat') return;
    this.#positions.take(link);
    if (!this.#positions.hasGap) this.#gaps = 0;
    this.emitter.emit('event', { type: 'event', seq, prev, event });
  }

  resumeFrom(seq: number | undefined): void {
    const from = seq ?? this.#latest?.head ?? this.lastSeq;
    if (from !== null) this.#positions.reset(from);
    this.#epoch = this.#latest?.epoch ?? this.#epoch;
    this.#gaps = 0;
    this.#go('resume');
    if (this.#link.isOpen()) this.#go('connected');
  }

  /** @param error why, unless the app wanted it */
  end(error: Error | null): void {
    if (this.#state === 'ended') return;
    this.#go('end');
    this.#link.onEnded(this);
    this.emitter.emit('ended', error);
  }

  /** @returns whether the event meant anything in this state */
  #go(event: SubscriptionEvent): boolean {
    const from = this.#state;
    this.#state = nextSubscriptionState(from, event);
    if (this.#state === from) return false;
    // A `waiting` sets its own alarm, with its own delay.
    if (this.#state !== 'waiting') this.#alarm.clear();
    if (this.#state === 'joining') this.#join();
    return true;
  }

  #join(): void {
    const id = this.#link.nextRequestId();
    const { after } = this.#positions;
    this.#requestId = id;
    this.#alarm.set(this.#link.settings.answerTimeoutMs, () => this.#postpone(this.#refusals++));
    this.#link.send({
      op: 'join',
      id,
      conversationId: this.conversationId,
      ...(after !== null && { after, ...(this.#epoch !== null && { epoch: this.#epoch }) }),
    });
  }

  #onGap(): void {
    // While a join is under way or planned, what comes is of before: the answer will link up.
    if (this.#state !== 'live') return;
    if (this.#gaps >= this.#link.settings.gapRetriesMax) return this.#resync('gap');
    this.#postpone(this.#gaps++);
  }

  #postpone(attempt: number, atLeastMs = 0): void {
    const { retryDelayMsBase: baseMs, retryDelayMsMax: maxMs, random } = this.#link.settings;
    if (!this.#go('postpone')) return;
    const delayMs = atLeastMs + fullJitterMs(attempt, { baseMs, maxMs }, random);
    this.#alarm.set(delayMs, () => this.#go('retry'));
  }

  #resync(reason: RoomResync['reason']): void {
    if (!this.#go('resync')) return;
    const { head, epoch } = this.#latest ?? { head: null, epoch: null };
    this.emitter.emit('resync', { type: 'resync', reason, head, epoch });
  }

  #isEntrance(event: EventFrame['event']): boolean {
    if (event.type === 'ConversationCreated') return true;
    return event.type === 'ParticipantAdded' && event.participantIds.includes(this.#link.settings.userId);
  }
}
