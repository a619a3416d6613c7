import { Gate } from '../../edge/gate/gate.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Base } from '../base.ts';

/** The gate of this process: made once, so that the connections of all its transports count together. */
export function openGate({ config, lifecycle }: Base, clock: Clock): Gate {
  return new Gate({
    connectionsMax: config.connectionsMax,
    connectsPerSecondMax: config.connectsPerSecondMax,
    allowedOrigins: config.corsOrigins,
    clock,
    onEvent: lifecycle.edge,
  });
}
