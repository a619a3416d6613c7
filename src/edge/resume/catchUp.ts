import type { Channel } from '../channel.ts';
import { LinkedEvent } from '../linkedEvent.ts';
import type { ClientSocket } from '../transport.ts';
import type { LogPages } from './logPages.ts';
import type { ReplayBuffer } from './replayBuffer.ts';

/** Pages read for a client that live events outrun, before it must resync. */
const PAGES_MAX = 10_000;

export interface CatchUpContext {
  readonly recent: ReplayBuffer;
  readonly pages: LogPages;
}

export interface CatchUpRequest {
  /** Last event the client has seen. */
  readonly after: number;
  /** False once the subscription has ended. */
  readonly wanted: () => boolean;
}

/**
 * Brings a client from the last event it saw to the live stream without a gap: from the replay buffer, or from the log
 * in pages until the replay buffer takes over. Once it has everything up to the channel's head it subscribes in the
 * same turn: the next event is published to it.
 *
 * @returns `live` when the client is subscribed, `expired` when it could not be caught up, `gone` when it left
 * @throws ChatError log_unavailable or overloaded when the log cannot be read
 */
export async function catchUp(
  context: CatchUpContext,
  socket: ClientSocket,
  channel: Channel,
  { after, wanted }: CatchUpRequest,
): Promise<'live' | 'expired' | 'gone'> {
  let seen = after;
  let delivered = after;
  const deliver = (event: LinkedEvent) => {
    // The event this one was linked to was erased meanwhile: nothing is left out between the two.
    const linked = event.prev > delivered ? new LinkedEvent(event, delivered) : event;
    delivered = event.seq;
    return socket.deliver(linked);
  };
  for (let read = 0; read < PAGES_MAX; read++) {
    seen = await deliverRecent(context.recent, { deliver, drained: () => socket.drained() }, channel, {
      after: seen,
      wanted,
    });
    if (!wanted()) return 'gone';
    if (seen >= channel.head) {
      // Events up to the head were erased meanwhile: a link to them would be a gap to this client.
      channel.linkBack(delivered);
      socket.subscribe(channel.conversationId);
      return 'live';
    }
    const page = await context.pages.read(channel.conversationId, seen, channel.head);
    if (page === null) return 'expired';
    for (const event of page.events) {
      if (!wanted()) return 'gone';
      if (event.seq > seen && !deliver(event)) await socket.drained();
    }
    seen = Math.max(seen, page.to);
  }
  return 'expired';
}

/** Delivers what the replay buffer holds without a gap. @returns position of the client: the channel's head, if all was there */
async function deliverRecent(
  recent: ReplayBuffer,
  socket: Pick<ClientSocket, 'deliver' | 'drained'>,
  channel: Channel,
  { after, wanted }: CatchUpRequest,
): Promise<number> {
  let seen = after;
  while (wanted() && seen < channel.head) {
    // The head may come from the log and be ahead of what the tail has brought here.
    if (recent.to < channel.head) return seen;
    if (!recent.hasAllAfter(channel.conversationId, seen)) return seen;
    let reading = true;
    for (const event of recent.eventsAfter(channel.conversationId, seen)) {
      reading = socket.deliver(event);
      seen = event.seq;
      if (!reading) break;
    }
    // Everything was delivered. Without any event, the head was erased since.
    if (reading) return Math.max(seen, channel.head);
    await socket.drained();
  }
  return seen;
}
