import { addParticipants, removeParticipants } from '../../../src/application/commands/changeParticipants.ts';
import { createConversation } from '../../../src/application/commands/createConversation.ts';
import { deleteMessage } from '../../../src/application/commands/deleteMessage.ts';
import { postMessage } from '../../../src/application/commands/postMessage.ts';
import { ReadMarks } from '../../../src/application/receipts/readMarks.ts';
import { decodeEvent } from '../../../src/contracts/events/events.ts';
import { Session } from '../../../src/edge/session.ts';
import { MemoryEventLog } from '../../../src/eventlog/memory/memoryEventLog.ts';
import { MemoryReceipts } from '../../../src/eventlog/memory/memoryReceipts.ts';
import { openRealtime } from '../../../src/main/parts/realtime.ts';
import { AnnouncedProgress } from '../../../src/platform/nats/projectionProgress.ts';
import { MemorySignalBus } from '../../../src/platform/signals/memorySignals.ts';
import { systemTimers } from '../../../src/platform/time/timers.ts';
import type { EventFeed } from '../../../src/ports/eventFeed.ts';
import type { EventLog } from '../../../src/ports/eventLog.ts';
import type { Signals } from '../../../src/ports/signals.ts';
import { applicationOn } from '../application/application.ts';
import { testBase } from '../main/testBase.ts';
import { waitFor } from '../time/waitFor.ts';
import { FakeFanout, FakeSocket } from './fakeSocket.ts';

export interface MemoryEdgeOptions {
  /** To start another edge on the log of the one before. */
  readonly log?: MemoryEventLog;
  /** Puts something between the edge and the log. */
  readonly wrap?: (log: MemoryEventLog) => EventLog & EventFeed;
  readonly signals?: Signals;
  readonly recentEventsMax?: number;
  readonly joinsMax?: number;
  readonly requestsMax?: number;
}

/** An edge without sockets: the real sessions, hub and live feed on the log in memory. */
export async function openMemoryEdge(options: MemoryEdgeOptions = {}) {
  const { log = new MemoryEventLog(), recentEventsMax = 1_000 } = options;
  const seen = options.wrap?.(log) ?? log;
  const application = applicationOn({ log: seen });
  const progress = new AnnouncedProgress();
  /** One entry for each socket. */
  const online: string[] = [];
  const base = testBase({ joinsPerSocketMax: options.joinsMax ?? 100, recentEventsMax });
  const { faults, edgeEvents: events } = base;
  const parts = {
    application,
    signals: options.signals ?? new MemorySignalBus().connect(),
    readMarks: new ReadMarks({ application, receipts: new MemoryReceipts(), timers: systemTimers }),
    presence: {
      connected: (id: string) => online.push(id),
      disconnected: (id: string) => online.splice(online.indexOf(id), 1),
      online: async (ids: readonly string[]) => new Set(ids.filter((id) => online.includes(id))),
    },
    historyProgress: progress,
  };
  const realtime = await openRealtime(base, parts, { watchEveryMs: 5 });
  const { hub } = realtime.context;
  const limits = {
    ...realtime.context.options,
    ...(options.requestsMax && { requestsMax: options.requestsMax }),
  };
  const context = { ...realtime.context, options: limits };
  const fanout = new FakeFanout();
  const connect = (userId = 'alice') => connectTo(context, userId, fanout);
  const caughtUp = () =>
    waitFor('the tail', async () => realtime.feed.position === (await log.status()).lastSeq, { everyMs: 1 });
  return {
    log,
    hub,
    progress,
    online,
    realtime,
    caughtUp,
    faults,
    events,
    connect,
    ...commands(log),
    stop: realtime.stop,
  };
}

function connectTo(context: ConstructorParameters<typeof Session>[0], userId: string, fanout: FakeFanout) {
  const socket = new FakeSocket(userId, fanout);
  const session = new Session(context, socket);
  let id = 0;
  const request = async (frame: object): Promise<Record<string, unknown>> => {
    id += 1;
    const sent = id;
    session.receive(JSON.stringify({ ...frame, id: sent }));
    return waitFor('an answer', () => socket.frames.find((answer) => answer.id === sent), { everyMs: 1 });
  };
  const disconnect = () => {
    socket.close();
    session.end();
  };
  return { socket, session, request, disconnect };
}

/** What others do meanwhile, past the edge. */
function commands(log: MemoryEventLog) {
  const context = applicationOn({ log });
  return {
    newConversation: async (visibility: 'members' | 'open' = 'open', participantIds: string[] = []) => {
      const created = { userId: 'alice', title: null, visibility, participantIds };
      return (await createConversation(context, created)).conversationId;
    },
    post: async (conversationId: string, content: string, userId = 'alice') =>
      (await postMessage(context, { conversationId, userId, content })).seq,
    /** @returns the sequence of the tombstone */
    erase: async (conversationId: string, seq: number) => {
      const stored = await log.at(seq);
      const event = stored === null ? null : decodeEvent(stored.bytes, seq);
      if (event?.type !== 'MessagePosted') throw new Error(`There is no message at ${seq}`);
      const { messageId, userId } = event;
      return (await deleteMessage(context, { conversationId, userId, messageId, seq, erase: true })).seq;
    },
    add: (conversationId: string, ...participantIds: string[]) =>
      addParticipants(context, { conversationId, userId: 'alice', participantIds }),
    remove: (conversationId: string, ...participantIds: string[]) =>
      removeParticipants(context, { conversationId, userId: 'alice', participantIds }),
  };
}
