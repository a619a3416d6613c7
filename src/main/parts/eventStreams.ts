import { drain } from '../../edge/drain.ts';
import type { Gate } from '../../edge/gate/gate.ts';
import type { Realtime } from '../../edge/realtime.ts';
import { EventStreamTransport } from '../../edge/transports/sse/eventStreamTransport.ts';
import type { EventStreams } from '../../http/deps.ts';
import type { Base } from '../base.ts';

/** Event streams never end by themselves: a stop ends them before the server waits for its requests. */
export interface EventStreamsPart extends EventStreams {
  /** Ends every stream and takes no more. */
  drain(): Promise<unknown>;
}

const STREAMS_END_MS_MAX = 1_000;

/**
 * Serves the live events of a conversation to clients that have nothing but HTTP.
 *
 * @param tuning what no setting says; production leaves it out
 */
export function openEventStreams(
  { config, lifecycle, stops }: Base,
  realtime: Realtime,
  gate: Gate,
  tuning: { readonly beatMs?: number } = {},
): EventStreamsPart {
  const eventStreams = new EventStreamTransport(realtime.context, {
    gate,
    backpressureBytesMax: config.backpressureBytesMax,
    secondsMax: config.eventStreamSecondsMax,
    ...tuning,
    onEvent: lifecycle.edge,
  });
  stops.add(() => eventStreams.stop());
  return {
    serve: eventStreams.serve.bind(eventStreams),
    drain: () => {
      gate.drain();
      return drain([eventStreams], STREAMS_END_MS_MAX);
    },
  };
}
