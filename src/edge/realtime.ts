import { asChatError } from '../application/chatErrors.ts';
import type { ApplicationContext } from '../application/context.ts';
import { TypingThrottle } from '../application/presence/typingThrottle.ts';
import type { Signals } from '../ports/signals.ts';
import type { SessionContext } from './context.ts';
import type { OnEdgeEvent } from './edgeEvents.ts';
import { Hub } from './hub.ts';
import { Inbox } from './inbox.ts';
import { LiveFeed } from './liveFeed.ts';
import { holdsMessage } from './resume/holdsMessage.ts';
import { LogPages } from './resume/logPages.ts';
import { ReplayBuffer } from './resume/replayBuffer.ts';

export interface RealtimeOptions {
  readonly application: ApplicationContext;
  readonly signals: Signals;
  readonly presence: SessionContext['presence'];
  readonly readMarks: SessionContext['readMarks'];
  readonly historyProgress: SessionContext['historyProgress'];
  readonly joinsPerSocketMax: number;
  readonly recentEventsMax?: number;
  readonly recentBytesMax?: number;
  /** Interval of the live feed's watchdog, in milliseconds. Default 2,000. */
  readonly watchEveryMs?: number;
  readonly onEvent: OnEdgeEvent;
  readonly onFault: (error: unknown) => void;
}

/** What all transports of a process share: the live feed, the subscriptions, and the events to resume from. */
export interface Realtime {
  readonly context: SessionContext;
  readonly feed: LiveFeed;
  stop(): Promise<void>;
}

/** Requests one socket may have in flight: as many as the log's publish window takes from all. */
const REQUESTS_PER_SOCKET_MAX = 1_024;

/** @throws LogUnavailableError when the log cannot be read */
export async function startRealtime(options: RealtimeOptions): Promise<Realtime> {
  const { application, signals, presence, readMarks, historyProgress, onEvent, onFault } = options;
  const eventsMax = options.recentEventsMax ?? 16_384;
  const recent = new ReplayBuffer({ eventsMax, bytesMax: options.recentBytesMax ?? 32 * 1_024 ** 2 });
  application.replyTargets.useMemory((conversationId, messageId) =>
    holdsMessage(recent, conversationId, messageId),
  );
  const hub = new Hub({ recent, readHead: (conversationId) => readHead(application, conversationId) });
  const inbox = new Inbox({ conversations: application.conversations, onFault });
  const pages = new LogPages({ ...application, recent });
  const limits = { joinsMax: options.joinsPerSocketMax, requestsMax: REQUESTS_PER_SOCKET_MAX, onFault };
  const typing = new TypingThrottle({ clock: application.clock });
  const shared = { application, signals, presence, readMarks, historyProgress, typing };
  const context = { ...shared, hub, inbox, recent, pages, options: limits };
  const feed = await LiveFeed.start({
    application,
    hub,
    inbox,
    recent,
    pages,
    preloadEvents: eventsMax,
    onEvent,
    onFault,
    ...(options.watchEveryMs !== undefined && { watchEveryMs: options.watchEveryMs }),
  });
  const unsubscribe = signals.subscribe((signal) => {
    if (signal.type === 'typing') announceTyping(hub, signal.conversationId, signal.userId);
  });
  const stop = async () => {
    unsubscribe();
    await feed.stop();
  };
  return { context, feed, stop };
}

/** Sends a typing notice to all other subscribers. */
function announceTyping(hub: Hub, conversationId: string, userId: string): void {
  const frame = { op: 'typing', conversationId, userId } as const;
  for (const { socket } of hub.channel(conversationId)?.subscribers ?? []) {
    if (socket.userId !== userId) socket.reply(frame);
  }
}

async function readHead(application: ApplicationContext, conversationId: string): Promise<number> {
  try {
    const latest = await Promise.all([
      application.log.latest(conversationId, 'conversation'),
      application.log.latest(conversationId, 'message'),
    ]);
    return Math.max(...latest.map((event) => event?.seq ?? 0));
  } catch (cause) {
    throw asChatError(cause);
  }
}
