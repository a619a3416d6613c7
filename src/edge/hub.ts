import type { StoredEvent } from '../ports/eventLog.ts';
import { encodeEventFrame } from './eventFrame.ts';
import { RecentHeads } from './recentHeads.ts';

/** Gets every live frame of a channel while it is not subscribed to the channel's topic yet. */
export interface Listener {
  onFrame(seq: number, frame: Uint8Array): void;
}

/** A conversation that somebody at this edge follows. */
export interface Channel {
  readonly conversationId: string;
  /** The latest event of the conversation that this edge knows: the `prev` of the next one. */
  readonly head: number;
  listen(listener: Listener): void;
  unlisten(listener: Listener): void;
  /** Gives the channel back; the last one to do so closes it. */
  close(): void;
}

export interface HubOptions {
  /** Sends a frame to everyone subscribed to a topic (the conversation's id). */
  readonly publish: (topic: string, frame: Uint8Array) => void;
  /** Reads the latest sequence of a conversation from the log; 0 when there is none. */
  readonly readHead: (conversationId: string) => Promise<number>;
  /** How many conversations' heads are remembered beyond those that are followed. Default 100,000. */
  readonly headsMax?: number;
}

/**
 * Hands live events to those who follow their conversation, each with a link to the event before it.
 *
 * A channel is `opening` until its head is known (from memory or the log), then `open`. Events that pass meanwhile
 * only move the head: nobody is subscribed yet. From then on every event with a sequence above the head is encoded
 * once, linked to the head, published, and becomes the head. So links have no holes: an event is either at or below
 * the head that a client was told, or it comes to the client linked to what came before.
 *
 * An event that nobody here follows costs a look-up and the note of its sequence.
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

  /** Takes the next event of the log's tail. */
  accept(event: StoredEvent): void {
    const channel = this.#channels.get(event.conversationId);
    if (channel === undefined) this.#heads.set(event.conversationId, event.seq);
    else channel.accept(event);
  }

  /** Opens a conversation's channel, or joins those who have it open. Each opening is closed once. */
  async open(conversationId: string): Promise<Channel> {
    const channel = this.#channels.get(conversationId) ?? this.#create(conversationId);
    channel.users += 1;
    try {
      await channel.opened;
    } catch (error) {
      channel.close();
      throw error;
    }
    return channel;
  }

  #create(conversationId: string): OpenChannel {
    const channel = new OpenChannel(conversationId, this.#options.publish, () => this.#forget(channel));
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

class OpenChannel implements Channel {
  readonly conversationId: string;
  readonly #publish: (topic: string, frame: Uint8Array) => void;
  readonly #onUnused: () => void;
  readonly #listeners = new Set<Listener>();
  opened: Promise<void> = Promise.resolve();
  isOpen = false;
  users = 0;
  head = 0;

  constructor(
    conversationId: string,
    publish: (topic: string, frame: Uint8Array) => void,
    onUnused: () => void,
  ) {
    this.conversationId = conversationId;
    this.#publish = publish;
    this.#onUnused = onUnused;
  }

  advance(head: number): void {
    this.head = Math.max(this.head, head);
    this.isOpen = true;
  }

  accept(event: StoredEvent): void {
    if (event.seq <= this.head) return;
    const prev = this.head;
    this.head = event.seq;
    if (!this.isOpen) return;
    const frame = encodeEventFrame(event.seq, prev, event.bytes);
    for (const listener of this.#listeners) listener.onFrame(event.seq, frame);
    this.#publish(this.conversationId, frame);
  }

  listen(listener: Listener): void {
    this.#listeners.add(listener);
  }

  unlisten(listener: Listener): void {
    this.#listeners.delete(listener);
  }

  close(): void {
    this.users -= 1;
    if (this.users === 0) this.#onUnused();
  }
}
