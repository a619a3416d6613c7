import { decodeEvent } from '../contracts/events/events.ts';
import type { StoredEvent } from '../ports/eventLog.ts';
import type { Channel, Subscriber } from './channel.ts';
import { LinkedEvent } from './linkedEvent.ts';
import { RecentHeads } from './recentHeads.ts';
import type { ReplayBuffer } from './resume/replayBuffer.ts';
import type { Fanout } from './transport.ts';

export interface HubOptions {
  readonly recent: ReplayBuffer;
  /** Reads the latest sequence of a conversation from the log; 0 when there is none. */
  readonly readHead: (conversationId: string) => Promise<number>;
  /** Heads remembered of conversations without subscribers. Default 100,000. */
  readonly headsMax?: number;
}

/**
 * Fans live events out to the subscribers of their conversation, each linked to the event before it.
 *
 * A channel is `opening` until its head is known (from memory or the log), then `open`. Events that pass meanwhile
 * only move the head: nothing is subscribed yet. From then on every event with a sequence above the head is linked to
 * the head, published once for each transport with subscribers, and becomes the head. So links have no holes:
 * an event is either at or below the head that a client was sent, or it reaches the client linked to what came before.
 *
 * An event without subscribers costs a map lookup, its place in the replay buffer and the note of its sequence.
 */
export class Hub {
  readonly #options: HubOptions;
  readonly #channels = new Map<string, OpenChannel>();
  readonly #heads: RecentHeads;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#heads = new RecentHeads(options.headsMax ?? 100_000);
  }

  get channels(): number {
    return this.#channels.size;
  }

  channel(conversationId: string): Channel | null {
    return this.#channels.get(conversationId) ?? null;
  }

  /** Takes the next event of the log's tail. */
  accept(stored: StoredEvent): void {
    const { conversationId, seq } = stored;
    const channel = this.#channels.get(conversationId);
    if (channel !== undefined) {
      this.#options.recent.add(stored, channel.link(seq));
      channel.accept(stored);
      if (stored.category === 'conversation') notifyParticipants(channel, stored);
      return;
    }
    // A head that was read from the log can be ahead of the tail: then it is no link for what the tail brings.
    const head = this.#heads.get(conversationId);
    const isNew = head === undefined || head < seq;
    this.#options.recent.add(stored, isNew ? (head ?? null) : null);
    if (isNew) this.#heads.set(conversationId, seq);
  }

  /** Enters a conversation's channel, opening it for the first subscriber. Each subscriber leaves once. */
  async open(conversationId: string, subscriber: Subscriber): Promise<Channel> {
    const channel = this.#channels.get(conversationId) ?? this.#create(conversationId);
    channel.enter(subscriber);
    try {
      await channel.opened;
    } catch (error) {
      channel.leave(subscriber);
      throw error;
    }
    return channel;
  }

  /** The log was replaced: heads are forgotten, and every subscriber is notified. */
  onOtherLog(): void {
    this.#heads.clear();
    const channels = [...this.#channels.values()];
    // Later subscribers open new channels: these belong to the log that was.
    this.#channels.clear();
    for (const channel of channels) {
      for (const subscriber of [...channel.subscribers]) subscriber.onOtherLog();
    }
  }

  #create(conversationId: string): OpenChannel {
    const channel = new OpenChannel(conversationId, () => this.#forget(channel));
    this.#channels.set(conversationId, channel);
    const known = this.#heads.get(conversationId);
    if (known !== undefined) channel.advance(known);
    else channel.opened = this.#readHead(channel);
    return channel;
  }

  async #readHead(channel: OpenChannel): Promise<void> {
    channel.advance(await this.#options.readHead(channel.conversationId));
  }

  #forget(channel: OpenChannel): void {
    if (this.#channels.get(channel.conversationId) !== channel) return;
    this.#channels.delete(channel.conversationId);
    if (channel.isOpen) this.#heads.set(channel.conversationId, channel.head);
  }
}

function notifyParticipants(channel: Channel, { bytes, seq }: StoredEvent): void {
  const event = decodeEvent(bytes, seq);
  if (!('state' in event)) return;
  for (const subscriber of [...channel.subscribers]) subscriber.onParticipants(event.state);
}

class OpenChannel implements Channel {
  readonly conversationId: string;
  readonly #onUnused: () => void;
  /** Number of subscribers by transport. */
  readonly #fanouts = new Map<Fanout, number>();
  readonly subscribers = new Set<Subscriber>();
  opened: Promise<void> = Promise.resolve();
  isOpen = false;
  head = 0;
  /** Link of the next event: the head, or what precedes it when that was erased. */
  #last = 0;

  constructor(conversationId: string, onUnused: () => void) {
    this.conversationId = conversationId;
    this.#onUnused = onUnused;
  }

  advance(head: number): void {
    this.#moveTo(Math.max(this.head, head));
    this.isOpen = true;
  }

  linkBack(seq: number): void {
    this.#last = Math.min(this.#last, seq);
  }

  /** Link of an event; null while the head is being read. */
  link(seq: number): number | null {
    return this.isOpen && seq > this.head ? this.#last : null;
  }

  accept(stored: StoredEvent): void {
    if (stored.seq <= this.head) return;
    const prev = this.#last;
    this.#moveTo(stored.seq);
    if (!this.isOpen) return;
    const event = new LinkedEvent(stored, prev);
    for (const fanout of this.#fanouts.keys()) fanout.publish(this.conversationId, event);
  }

  enter(subscriber: Subscriber): void {
    this.subscribers.add(subscriber);
    const { fanout } = subscriber.socket;
    this.#fanouts.set(fanout, (this.#fanouts.get(fanout) ?? 0) + 1);
  }

  leave(subscriber: Subscriber): void {
    if (!this.subscribers.delete(subscriber)) return;
    const { fanout } = subscriber.socket;
    const left = (this.#fanouts.get(fanout) ?? 1) - 1;
    if (left === 0) this.#fanouts.delete(fanout);
    else this.#fanouts.set(fanout, left);
    if (this.subscribers.size === 0) this.#onUnused();
  }

  #moveTo(head: number): void {
    // Standing still keeps the link back.
    if (head > this.head) this.#last = head;
    this.head = head;
  }
}
