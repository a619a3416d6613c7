import { drain } from '../../edge/drain.ts';
import type { AdmissionControl } from '../../edge/gate/admission.ts';
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

/** Serves the live events of a conversation to clients that have nothing but HTTP. */
export function openEventStreams(
  { config, lifecycle, stops }: Base,
  realtime: Realtime,
  admission: AdmissionControl,
): EventStreamsPart {
  const eventStreams = new EventStreamTransport(realtime.context, {
    admission,
    backpressureBytesMax: config.backpressureBytesMax,
    onEvent: lifecycle.edge,
  });
  stops.add(() => eventStreams.stop());
  return {
    serve: eventStreams.serve.bind(eventStreams),
    drain: () => {
      admission.draining = true;
      return drain([eventStreams], STREAMS_END_MS_MAX);
    },
  };
}
