import type { Disconnect } from '../contracts/frames/disconnects.ts';

/** What carries a client's connection. */
export type TransportName = 'websocket' | 'socketio-websocket' | 'socketio-polling' | 'sse';

/** Why a connection ended, as metrics and logs name it: its client went, this side closed it, or something broke. */
export type CloseReason = 'client' | Disconnect['metric'] | 'error';

/** What happens at the edge, for metrics and logs to subscribe to. */
export type EdgeEvent =
  | { readonly type: 'connected'; readonly transport: TransportName }
  | { readonly type: 'disconnected'; readonly transport: TransportName; readonly reason: CloseReason }
  | { readonly type: 'refused'; readonly transport: TransportName; readonly reason: string }
  | { readonly type: 'slowConsumer'; readonly transport: TransportName; readonly userId: string }
  /** The live feed was restarted: it had stalled behind the log's head, or its log was replaced. */
  | { readonly type: 'tailRestarted'; readonly reason: 'stalled' | 'otherLog'; readonly position: number };

export type OnEdgeEvent = (event: EdgeEvent) => void;
