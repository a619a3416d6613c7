import { startEdge } from '../../edge/edgeServer.ts';
import type { Realtime } from '../../edge/realtime.ts';
import type { StopSequence } from '../stopSequence.ts';
import type { Foundation } from '../system.ts';

/** The realtime edge. @returns the port it listens on */
export async function startEdgeRole(
  { config, lifecycle, metrics }: Foundation,
  realtime: Realtime,
  stops: StopSequence,
): Promise<number> {
  const edge = await startEdge({
    realtime,
    host: config.host,
    port: config.edgePort,
    connectionsMax: config.connectionsMax,
    connectsPerSecondMax: config.connectsPerSecondMax,
    backpressureBytesMax: config.backpressureBytesMax,
    allowedOrigins: config.corsOrigins,
    hstsSeconds: config.hstsSeconds,
    metrics,
    onEvent: lifecycle.edge,
    onFault: lifecycle.fault('edge'),
  });
  stops.add(() => edge.stop(config.shutdownTimeoutMs));
  return edge.port;
}
