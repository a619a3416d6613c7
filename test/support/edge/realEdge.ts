import pino from 'pino';
import { ConversationStore } from '../../../src/application/conversations/conversationStore.ts';
import type { EdgeEvent } from '../../../src/edge/edgeEvents.ts';
import { type EdgeOptions, type EdgeServer, startEdge } from '../../../src/edge/edgeServer.ts';
import { type Realtime, type RealtimeOptions, startRealtime } from '../../../src/edge/realtime.ts';
import { MemoryAttachments } from '../../../src/eventlog/memory/memoryAttachments.ts';
import { Metrics } from '../../../src/observability/metrics.ts';
import { edgeSubscriber } from '../../../src/observability/subscribers/edge.ts';
import { systemIds } from '../../../src/platform/ids.ts';
import { systemClock } from '../../../src/platform/time/clock.ts';
import type { EventFeed } from '../../../src/ports/eventFeed.ts';
import type { EventLog } from '../../../src/ports/eventLog.ts';
import { aloneOnline } from './aloneOnline.ts';

/** A log that was opened, whichever it is. */
interface Opened {
  readonly log: EventLog & EventFeed;
}

export interface RealEdge extends EdgeServer {
  readonly realtime: Realtime;
  readonly events: EdgeEvent[];
  readonly faults: unknown[];
}

export function applicationOn({ log }: Opened) {
  const conversations = new ConversationStore(log);
  return {
    log,
    feed: log,
    conversations,
    attachments: new MemoryAttachments(),
    clock: systemClock,
    ids: systemIds,
  };
}

/** A real edge on a free port, on a real log. */
export async function startRealEdge(
  opened: Opened,
  options: Partial<EdgeOptions & RealtimeOptions> = {},
): Promise<RealEdge> {
  const metrics = new Metrics();
  const subscriber = edgeSubscriber(pino({ level: 'silent' }), metrics);
  const events: EdgeEvent[] = [];
  const faults: unknown[] = [];
  const observers = {
    onEvent: (event: EdgeEvent) => {
      events.push(event);
      subscriber.onEvent(event);
    },
    onFault: (error: unknown) => faults.push(error),
  };
  const realtime = await startRealtime({
    application: applicationOn(opened),
    ...aloneOnline(),
    joinsPerSocketMax: 10,
    ...observers,
    ...options,
  });
  const limits = { host: '127.0.0.1', port: 0, connectionsMax: 100, backpressureBytesMax: 1_024 ** 2 };
  const edge = await startEdge({ realtime, metrics, ...limits, ...observers, ...options });
  return {
    port: edge.port,
    get connections() {
      return edge.connections;
    },
    get position() {
      return edge.position;
    },
    realtime,
    events,
    faults,
    stop: async (timeoutMs) => {
      await edge.stop(timeoutMs);
      await realtime.stop();
    },
  };
}
