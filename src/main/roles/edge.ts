import { type EdgeOptions, type EdgeServer, startEdge } from '../../edge/edgeServer.ts';
import type { Realtime } from '../../edge/realtime.ts';
import type { Base } from '../base.ts';

/**
 * The realtime edge.
 *
 * @param tuning what no setting says; production leaves it out
 */
export async function openEdge(
  { config, lifecycle, metrics, stops }: Base,
  realtime: Realtime,
  tuning: Partial<Pick<EdgeOptions, 'slowCheckMs' | 'metrics'>> = {},
): Promise<EdgeServer> {
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
    ...tuning,
  });
  stops.add(() => edge.stop(config.shutdownTimeoutMs));
  return edge;
}
