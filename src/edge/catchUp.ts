import type { ApplicationContext } from '../application/context.ts';
import { readConversation } from '../application/readConversation.ts';
import { encodeEventFrame } from './eventFrame.ts';
import type { Channel, Listener } from './hub.ts';
import type { ClientSocket } from './socket.ts';

/** Live frames kept for a client that is still being caught up, at most; beyond, the log is read again. */
const LIVE_FRAMES_MAX = 512;
/** How often the log is read again for a client that live events outrun, before it is told to resync. */
const ROUNDS_MAX = 20;

/**
 * Brings a client from the last event it saw to the live stream, without a seam: the stretch up to the channel's head
 * is read from the log while live frames are kept, then those are sent and the socket subscribes, all in one turn.
 *
 * @returns `live` when the client is subscribed, `behind` when it could not be caught up, `gone` when it left
 * @throws LogUnavailableError when the log cannot be read
 */
export async function catchUp(
  context: Pick<ApplicationContext, 'log' | 'feed'>,
  socket: ClientSocket,
  channel: Channel,
  request: { after: number; wanted: () => boolean },
): Promise<'live' | 'behind' | 'gone'> {
  let seen = request.after;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const live = new LiveFrames();
    channel.listen(live);
    try {
      seen = await sendFromLog(context, socket, channel, { ...request, after: seen });
      if (!request.wanted()) return 'gone';
      if (!live.overflowed) {
        for (const frame of live.frames) socket.send(frame);
        socket.subscribe(channel.conversationId);
        return 'live';
      }
    } finally {
      channel.unlisten(live);
    }
  }
  return 'behind';
}

/** Sends what the log holds behind `after` up to the channel's head of now. @returns the last sequence sent */
async function sendFromLog(
  context: Pick<ApplicationContext, 'log' | 'feed'>,
  socket: ClientSocket,
  channel: Channel,
  request: { after: number; wanted: () => boolean },
): Promise<number> {
  const { conversationId, head } = channel;
  const { after } = request;
  const start = await linkedStart(context, conversationId, after);
  let prev = start;
  for await (const event of readConversation(context.feed, { conversationId, after: start, until: head })) {
    if (!request.wanted()) return prev;
    if (event.seq > after && !socket.send(encodeEventFrame(event.seq, prev, event.bytes))) {
      await socket.drained();
    }
    prev = event.seq;
  }
  return Math.max(prev, after);
}

/**
 * Where to read from so that the first event's `prev` is known: at `after` itself when that is an event of this
 * conversation, which it nearly always is; otherwise from the beginning.
 */
async function linkedStart(
  context: Pick<ApplicationContext, 'log'>,
  conversationId: string,
  after: number,
): Promise<number> {
  if (after === 0) return 0;
  const stored = await context.log.at(after);
  return stored?.conversationId === conversationId ? after : 0;
}

class LiveFrames implements Listener {
  frames: Uint8Array[] = [];
  overflowed = false;

  onFrame(_seq: number, frame: Uint8Array): void {
    if (this.overflowed) return;
    if (this.frames.length < LIVE_FRAMES_MAX) {
      this.frames.push(frame);
    } else {
      this.overflowed = true;
      this.frames = [];
    }
  }
}
