import { startEdge } from '../../edge/edgeServer.ts';
import type { StopSequence } from '../stopSequence.ts';
import type { Foundation } from '../system.ts';

/** The realtime edge. @returns the port it listens on */
export async function startEdgeRole(foundation: Foundation, stops: StopSequence): Promise<number> {
  const { config, application, signals, presence, lifecycle } = foundation;
  const edge = await startEdge({
    application,
    signals,
    presence,
    host: config.host,
    port: config.edgePort,
    connectionsMax: config.connectionsMax,
    joinsPerSocketMax: config.joinsPerSocketMax,
    backpressureBytesMax: config.backpressureBytesMax,
    onEvent: lifecycle.edge,
    onFault: lifecycle.fault('edge'),
  });
  stops.add(() => edge.stop(config.shutdownTimeoutMs));
  return edge.port;
}
