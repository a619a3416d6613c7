import { FRAME_BYTES_MAX } from './clientFrames.ts';

/** How the server ends a socket. */
export interface Disconnect {
  /** Close code of the WebSocket. */
  readonly code: number;
  /** The text that goes with it. */
  readonly reason: string;
  /** Whether a client may come back: false only when it would be turned away again. */
  readonly reconnect: boolean;
  /** `reason` in the metric of closed connections. */
  readonly metric: 'policy' | 'too_large' | 'overloaded' | 'slow_consumer' | 'draining';
}

/**
 * Every close code of the protocol. `policy` and `overloaded` are kept for clients that know them: this server turns such
 * clients away before there is a socket.
 */
export const DISCONNECTS = {
  unsupportedData: { code: 1003, reason: 'frames are JSON text', reconnect: true, metric: 'policy' },
  policy: { code: 1008, reason: 'policy', reconnect: false, metric: 'policy' },
  tooLarge: {
    code: 1009,
    reason: `frames have at most ${FRAME_BYTES_MAX} bytes`,
    reconnect: true,
    metric: 'too_large',
  },
  overloaded: { code: 1013, reason: 'overloaded', reconnect: true, metric: 'overloaded' },
  slowConsumer: {
    code: 4008,
    reason: 'slow consumer: resume from the last event',
    reconnect: true,
    metric: 'slow_consumer',
  },
  draining: { code: 4012, reason: 'draining', reconnect: true, metric: 'draining' },
} as const satisfies Record<string, Disconnect>;
