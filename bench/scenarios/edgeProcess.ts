import { ConversationStore } from '../../src/application/conversations/conversationStore.ts';
import { startEdge } from '../../src/edge/edgeServer.ts';
import { startRealtime } from '../../src/edge/realtime.ts';
import { MemoryAttachments } from '../../src/eventlog/memory/memoryAttachments.ts';
import { Metrics } from '../../src/observability/metrics.ts';
import { systemIds } from '../../src/platform/ids.ts';
import { MemorySignalBus } from '../../src/platform/signals/memorySignals.ts';
import { systemClock } from '../../src/platform/time/clock.ts';
import { openBenchLog } from '../support/log.ts';
import { serveMeasured } from '../support/measured.ts';

/** One edge process, as the role `edge` runs it. */
const { log } = await openBenchLog(process.argv[2] ?? '');
const conversations = new ConversationStore(log);
const onFault = (error: unknown) => console.error(error);
const realtime = await startRealtime({
  application: {
    log,
    feed: log,
    conversations,
    attachments: new MemoryAttachments(),
    clock: systemClock,
    ids: systemIds,
  },
  signals: new MemorySignalBus().connect(),
  presence: { connected: () => {}, disconnected: () => {}, online: async () => new Set<string>() },
  readMarks: { mark: async ({ seq }) => ({ seq }) },
  historyProgress: { waitFor: async () => 'late' },
  joinsPerSocketMax: 200,
  onEvent: () => {},
  onFault,
});
const edge = await startEdge({
  realtime,
  metrics: new Metrics(),
  host: '127.0.0.1',
  port: 0,
  connectionsMax: 20_000,
  backpressureBytesMax: 1_024 ** 2,
  onFault,
});
serveMeasured(
  edge.port,
  () => {},
  () => edge.connections + realtime.context.hub.channels + realtime.context.inbox.users,
);
