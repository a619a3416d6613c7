import type { EdgeEvent } from '../../../src/edge/edgeEvents.ts';
import type { EdgeOptions, EdgeServer } from '../../../src/edge/edgeServer.ts';
import type { Gate } from '../../../src/edge/gate/gate.ts';
import type { Realtime } from '../../../src/edge/realtime.ts';
import { openGate } from '../../../src/main/parts/gate.ts';
import { openRealtime, type RealtimeParts } from '../../../src/main/parts/realtime.ts';
import { openEdge } from '../../../src/main/roles/edge.ts';
import type { Config } from '../../../src/platform/config/config.ts';
import type { EventFeed } from '../../../src/ports/eventFeed.ts';
import type { EventLog } from '../../../src/ports/eventLog.ts';
import { applicationOn } from '../application/application.ts';
import { testBase } from '../main/testBase.ts';
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

export interface RealEdgeOptions extends Partial<RealtimeParts> {
  readonly config?: Partial<Config>;
  /** Shared with what else stands for the same process; default: one of its own. */
  readonly gate?: Gate;
  readonly slowCheckMs?: number;
  readonly metrics?: EdgeOptions['metrics'];
  readonly watchEveryMs?: number;
}

/** A real edge on a free port, on a real log. */
export async function startRealEdge(opened: Opened, options: RealEdgeOptions = {}): Promise<RealEdge> {
  const { config, slowCheckMs, watchEveryMs, metrics, gate, ...parts } = options;
  const limits = { joinsPerSocketMax: 10, connectionsMax: 100, backpressureBytesMax: 1_024 ** 2 };
  const base = testBase({ ...limits, ...config });
  const around = { application: applicationOn(opened), ...aloneOnline(), ...parts };
  const realtime = await openRealtime(base, around, { ...(watchEveryMs !== undefined && { watchEveryMs }) });
  const edge = await openEdge(base, realtime, gate ?? openGate(base, around.application.clock), {
    ...(slowCheckMs !== undefined && { slowCheckMs }),
    ...(metrics !== undefined && { metrics }),
  });
  return {
    port: edge.port,
    get connections() {
      return edge.connections;
    },
    get position() {
      return edge.position;
    },
    realtime,
    events: base.edgeEvents,
    faults: base.faults,
    stop: async (timeoutMs) => {
      await edge.stop(timeoutMs);
      await realtime.stop();
    },
  };
}
