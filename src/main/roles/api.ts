import type { Gate } from '../../edge/gate/gate.ts';
import type { Realtime } from '../../edge/realtime.ts';
import type { HealthDeps } from '../../http/deps.ts';
import type { HttpServer } from '../../http/server/server.ts';
import type { Foundation } from '../foundation.ts';
import { openEventStreams } from '../parts/eventStreams.ts';
import { openHttp } from '../parts/http.ts';
import { openReading } from '../parts/reading.ts';

/** The HTTP API: what answers questions, event streams, then the server over them. */
export async function openApi(foundation: Foundation, realtime: Realtime, gate: Gate): Promise<HttpServer> {
  const { application, presence, readMarks } = foundation;
  const reading = await openReading(foundation, foundation);
  const eventStreams = openEventStreams(foundation, realtime, gate);
  return openHttp(foundation, {
    application,
    reading,
    realtime: { presence, readMarks, eventStreams },
    health: healthOf(foundation),
  });
}

function healthOf({ config, log, signal }: Foundation): HealthDeps {
  return {
    fsyncPolicy: fsyncPolicy(config),
    publishAckMs: () => log.publishAckMs,
    logState: () => log.state,
    lagSecondsMax: config.projectionLagSecondsMax,
    isDraining: () => signal.aborted,
  };
}

/** When the log is on disk, as far as it is known. A server that is not ours keeps its policy to itself. */
function fsyncPolicy({ natsUrl, natsSyncIntervalMs }: Foundation['config']): string {
  if (natsUrl !== undefined) return 'set by the external nats-server';
  return natsSyncIntervalMs === 'always' ? 'every append' : `every ${natsSyncIntervalMs / 1_000} s`;
}
