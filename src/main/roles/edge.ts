import { type EdgeOptions, type EdgeServer, startEdge } from '../../edge/edgeServer.ts';
import type { Gate } from '../../edge/gate/gate.ts';
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
  gate: Gate,
  tuning: Partial<Pick<EdgeOptions, 'slowCheckMs' | 'metrics'>> = {},
): Promise<EdgeServer> {
  const edge = await startEdge({
    realtime,
    host: config.host,
    port: config.edgePort,
    gate,
    backpressureBytesMax: config.backpressureBytesMax,
    allowedOrigins: config.corsOrigins,
    hstsSeconds: config.hstsSeconds,
    trustedUserHeader: config.trustedUserHeader,
    metrics,
    onEvent: lifecycle.edge,
    onFault: lifecycle.fault('edge'),
    ...tuning,
  });
  stops.add(() => edge.stop(config.shutdownTimeoutMs));
  return edge;
}
