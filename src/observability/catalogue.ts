/**
 * One metric as data.
 *
 * @template Label what tells its series apart; never a user or an address, so that their number is bounded
 */
export interface MetricDefinition<Kind extends MetricKind = MetricKind, Label extends string = string> {
  readonly name: string;
  readonly kind: Kind;
  /** What a value counts or measures; `0 or 1` for a yes or no, `state` for numbers that the help explains. */
  readonly unit: string;
  /** One sentence, the measured thing first. */
  readonly help: string;
  readonly labels: readonly Label[];
  /** Upper bounds, ascending. */
  readonly buckets?: Kind extends 'histogram' ? readonly number[] : never;
}

export type MetricKind = 'counter' | 'gauge' | 'histogram';

/**
 * Every metric of this project; those of the process and of Node come from prom-client on top. A metric is made from its
 * entry here by the subscriber of the part that it is about, in `subscribers/`.
 */
export const METRICS = {
  socketConnections: {
    name: 'chat_socket_connections',
    kind: 'gauge',
    unit: 'connections',
    help: 'Open connections.',
    labels: ['transport', 'protocol'],
  },
  socketConnectionsTotal: {
    name: 'chat_socket_connections_total',
    kind: 'counter',
    unit: 'connections',
    help: 'Connections opened.',
    labels: ['transport', 'protocol'],
  },
  socketDisconnectionsTotal: {
    name: 'chat_socket_disconnections_total',
    kind: 'counter',
    unit: 'connections',
    help: 'Connections closed, by reason.',
    labels: ['reason'],
  },
  socketHandshakesTotal: {
    name: 'chat_socket_handshakes_total',
    kind: 'counter',
    unit: 'handshakes',
    help: 'Handshakes, by outcome.',
    labels: ['outcome'],
  },
  liveFeedLagEvents: {
    name: 'chat_live_feed_lag_events',
    kind: 'gauge',
    unit: 'events',
    help: 'Events in the log that the live feed has not delivered yet.',
    labels: [],
  },
  liveFeedRestarts: {
    name: 'chat_live_feed_restarts',
    kind: 'gauge',
    unit: 'restarts',
    help: 'Restarts of the live feed.',
    labels: [],
  },
  publishAckAverageSeconds: {
    name: 'chat_publish_ack_average_seconds',
    kind: 'gauge',
    unit: 'seconds',
    help: 'Moving average of the time until the log acknowledges an append.',
    labels: [],
  },
  breakerState: {
    name: 'chat_breaker_state',
    kind: 'gauge',
    unit: 'state',
    help: 'State of a circuit breaker: 0 closed, 1 half-open, 2 open.',
    labels: ['dependency'],
  },
  dbQueryDurationSeconds: {
    name: 'chat_db_query_duration_seconds',
    kind: 'histogram',
    unit: 'seconds',
    help: 'Duration of a query, waiting for a connection included.',
    labels: ['database', 'operation', 'outcome'],
    // From what an index answers to what a statement may take at most.
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  dbPoolConnections: {
    name: 'chat_db_pool_connections',
    kind: 'gauge',
    unit: 'connections',
    help: 'Connections to the database, by state.',
    labels: ['database', 'state'],
  },
  dbPoolWaitingRequests: {
    name: 'chat_db_pool_waiting_requests',
    kind: 'gauge',
    unit: 'requests',
    help: 'Requests that wait for a connection to the database.',
    labels: ['database'],
  },
  dbReplicaUsable: {
    name: 'chat_db_replica_usable',
    kind: 'gauge',
    unit: '0 or 1',
    help: 'Use of the read replica: 1 while it is read, 0 while it is away or too far behind.',
    labels: [],
  },
  dbReplicaLagSeconds: {
    name: 'chat_db_replica_lag_seconds',
    kind: 'gauge',
    unit: 'seconds',
    help: 'Age of the oldest event missing from the history of the read replica, at most, as of its last answer.',
    labels: [],
  },
  cacheRequestsTotal: {
    name: 'chat_cache_requests_total',
    kind: 'counter',
    unit: 'requests',
    help: 'Requests to a cache, by outcome.',
    labels: ['cache', 'outcome'],
  },
  cacheEntries: {
    name: 'chat_cache_entries',
    kind: 'gauge',
    unit: 'entries',
    help: 'Entries of a cache in memory.',
    labels: ['cache'],
  },
  redisUp: {
    name: 'chat_redis_up',
    kind: 'gauge',
    unit: '0 or 1',
    help: 'Availability of Redis: 1 while it takes commands, else 0.',
    labels: [],
  },
  projectionLagEvents: {
    name: 'chat_projection_lag_events',
    kind: 'gauge',
    unit: 'events',
    help: 'Events that a read model is behind the log; NaN while the log does not answer.',
    labels: ['projection'],
  },
  projectionLagSeconds: {
    name: 'chat_projection_lag_seconds',
    kind: 'gauge',
    unit: 'seconds',
    help: 'Age of the oldest event missing from a read model, at most.',
    labels: ['projection'],
  },
  projectionState: {
    name: 'chat_projection_state',
    kind: 'gauge',
    unit: '0 or 1',
    help: 'State of a read model: 1 for the state it is in, 0 for the others.',
    labels: ['projection', 'state'],
  },
  projectionParkedConversations: {
    name: 'chat_projection_parked_conversations',
    kind: 'gauge',
    unit: 'conversations',
    help: 'Parked conversations: one of their events could not be projected.',
    labels: ['projection'],
  },
  projectionStatusReadable: {
    name: 'chat_projection_status_readable',
    kind: 'gauge',
    unit: '0 or 1',
    help: 'Freshness of the metrics of read models and audit: 1 when read just now, 0 while the database does not answer.',
    labels: [],
  },
  messagesUnaccounted: {
    name: 'chat_messages_unaccounted',
    kind: 'gauge',
    unit: 'messages',
    help: 'Messages in the log that the audit missed in the history.',
    labels: [],
  },
  auditDifferingConversations: {
    name: 'chat_audit_differing_conversations',
    kind: 'gauge',
    unit: 'conversations',
    help: 'Conversations that differ between log and history.',
    labels: [],
  },
  auditLastPassTimestampSeconds: {
    name: 'chat_audit_last_pass_timestamp_seconds',
    kind: 'gauge',
    unit: 'seconds since 1970',
    help: 'End of the last audit of all conversations; 0 before the first.',
    labels: [],
  },
  uploadsTotal: {
    name: 'chat_uploads_total',
    kind: 'counter',
    unit: 'uploads',
    help: 'Uploads, by outcome and reason.',
    labels: ['outcome', 'reason'],
  },
  uploadsBytes: {
    name: 'chat_uploads_bytes',
    kind: 'gauge',
    unit: 'bytes',
    help: 'Bytes that all uploads take.',
    labels: [],
  },
  uploadsBytesLimit: {
    name: 'chat_uploads_bytes_limit',
    kind: 'gauge',
    unit: 'bytes',
    help: 'Bytes that all uploads may take.',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;
