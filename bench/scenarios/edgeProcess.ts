import { openBase } from '../../src/main/base.ts';
import { openGate } from '../../src/main/parts/gate.ts';
import { openRealtime } from '../../src/main/parts/realtime.ts';
import { openEdge } from '../../src/main/roles/edge.ts';
import { createLogger } from '../../src/observability/logs/logger.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import { MemorySignalBus } from '../../src/platform/signals/memorySignals.ts';
import { benchApplication } from '../support/application.ts';
import { openBenchLog } from '../support/log.ts';
import { serveMeasured } from '../support/measured.ts';

/** One edge process, as the role `edge` runs it, with nobody around it who would ask for presence or receipts. */
const { log } = await openBenchLog(process.argv[2] ?? '');
const config = { ...loadConfig({ HOST: '127.0.0.1', EDGE_PORT: '0' }), connectionsMax: 20_000 };
const base = openBase(config, createLogger('error'), new AbortController().signal);
const application = benchApplication(log);
const realtime = await openRealtime(base, {
  application,
  signals: new MemorySignalBus().connect(),
  presence: { connected: () => {}, disconnected: () => {}, online: async () => new Set<string>() },
  readMarks: { mark: async ({ seq }) => ({ seq }) },
  historyProgress: { waitFor: async () => 'late' },
});
const edge = await openEdge(base, realtime, openGate(base, application.clock));
serveMeasured(
  edge.port,
  () => {},
  () => edge.connections + realtime.context.hub.channels + realtime.context.inbox.users,
);
