import { descriptions, optionalSetting, type SettingDescription, setting } from './settingDescription.ts';
import {
  brokerUrls,
  byteSize,
  databaseUrl,
  durationOrAlways,
  oneOf,
  origins,
  redisUrl,
  replicas,
  someOf,
  text,
  wholeNumber,
} from './settingKinds.ts';

/** The parts that a process can play, in the order in which they start. */
export const ROLES = ['api', 'edge', 'projector', 'maintenance'] as const;
export type Role = (typeof ROLES)[number];

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const HOST = /^[A-Za-z0-9.:_-]{1,253}$/;
const PORT = wholeNumber(0, 65_535);
const TIMEOUT_MS = wholeNumber(100, 600_000);

/** Every setting, by its name in the typed config. */
export const settings = {
  roles: setting('ROLES', someOf(ROLES), 'all', {
    description:
      'What this process does: serve HTTP, serve WebSockets, write the read models, audit and clean up.',
    example: 'api,edge',
  }),
  host: setting('HOST', text('an IP address or a host name', HOST), '0.0.0.0', {
    description: 'Address on which api and edge listen.',
    example: '127.0.0.1',
  }),
  port: setting('PORT', PORT, '3001', {
    description: 'Port of the HTTP API; 0 takes a free one.',
    example: '3001',
  }),
  edgePort: setting('EDGE_PORT', PORT, '3002', {
    description: 'Port of the WebSocket edge; 0 takes a free one.',
    example: '3002',
  }),
  natsUrl: optionalSetting('NATS_URL', brokerUrls(), {
    description: 'Where nats-server is. Unset: an embedded one is started.',
    example: 'nats://nats-1:4222,nats://nats-2:4222',
  }),
  databaseUrl: optionalSetting('DATABASE_URL', databaseUrl(), {
    description:
      'Where Postgres is; connection_limit and pool_timeout (s) count. Unset: an embedded one is started.',
    example: 'postgresql://chat:secret@localhost:5432/chat?connection_limit=10&pool_timeout=5',
  }),
  redisUrl: optionalSetting('REDIS_URL', redisUrl(), {
    description: 'Where Redis is, for what processes share in memory. Unset: each knows for itself.',
    example: 'redis://:secret@redis-1:6379/0',
  }),
  dataDir: setting('CHAT_DATA_DIR', text('a path', /^[^\0]{1,4096}$/), '.data', {
    description: 'Where the embedded servers keep their data.',
    example: '/var/lib/chat-backend',
  }),
  logLevel: setting('LOG_LEVEL', oneOf(LOG_LEVELS), 'info', {
    description: 'The least severe log lines that are written.',
    example: 'debug',
  }),
  streamBytesMax: setting('STREAM_MAX_BYTES', byteSize(1_024 ** 2), '4GB', {
    description: 'How much the log may hold; when it is full, nothing more is accepted.',
    unit: 'bytes',
    example: '512MB',
  }),
  streamReplicas: setting('STREAM_REPLICAS', replicas(), '1', {
    description: 'Copies of the log in the NATS cluster.',
    unit: 'copies',
    example: '3',
  }),
  receiptsBytesMax: setting('RECEIPTS_MAX_BYTES', byteSize(1_024 ** 2), '256MB', {
    description:
      'How much the read receipts may hold, one for each user and conversation; the oldest go first.',
    unit: 'bytes',
    example: '64MB',
  }),
  uploadBytesMax: setting('UPLOAD_MAX_BYTES', byteSize(1_024), '10MB', {
    description: 'The largest file that can be uploaded.',
    unit: 'bytes',
    example: '25MB',
  }),
  uploadsBytesMax: setting('UPLOADS_MAX_BYTES', byteSize(1_024 ** 2), '1GB', {
    description: 'How much all uploaded files may hold; when it is full, no more are accepted.',
    unit: 'bytes',
    example: '20GB',
  }),
  uploadsParallelMax: setting('UPLOADS_PARALLEL_MAX', wholeNumber(1, 1_000), '32', {
    description: 'Uploads at a time and process, at most; more are answered "overloaded".',
    unit: 'uploads',
    example: '100',
  }),
  natsSyncIntervalMs: setting('NATS_SYNC_INTERVAL', durationOrAlways(), '2m', {
    description: 'How soon the embedded nats-server flushes to disk: "always" is safest and slowest.',
    example: 'always',
  }),
  publishWindowMessages: setting('PUBLISH_WINDOW', wholeNumber(1, 8_192), '2048', {
    description: 'Messages sent to the log and not acknowledged yet, at most.',
    unit: 'messages',
    example: '256',
  }),
  publishQueueMessagesMax: setting('PUBLISH_QUEUE_MAX', wholeNumber(1, 1_000_000), '16384', {
    description: 'Messages that wait for the window, at most; more are answered "overloaded".',
    unit: 'messages',
    example: '4096',
  }),
  publishQueueBytesMax: setting('PUBLISH_QUEUE_BYTES_MAX', byteSize(1_024 ** 2), '64MB', {
    description: 'What messages may hold that wait for the window or an acknowledgement; more: "overloaded".',
    unit: 'bytes',
    example: '16MB',
  }),
  publishAckTimeoutMs: setting('PUBLISH_ACK_TIMEOUT_MS', TIMEOUT_MS, '2000', {
    description: 'Without an acknowledgement for so long, a message is sent to the log again.',
    unit: 'ms',
    example: '1000',
  }),
  publishDeadlineMs: setting('PUBLISH_DEADLINE_MS', TIMEOUT_MS, '10000', {
    description: 'Without an acknowledgement for so long, the answer is "unknown_outcome".',
    unit: 'ms',
    example: '5000',
  }),
  projectionBatchEvents: setting('PROJECTION_BATCH_SIZE', wholeNumber(1, 10_000), '2000', {
    description: 'Events that a projection writes in one transaction, at most.',
    unit: 'events',
    example: '500',
  }),
  projectionLagSecondsMax: setting('PROJECTION_LAG_SECONDS_MAX', wholeNumber(1, 86_400), '30', {
    description: 'A projection further behind than this makes /health/projections answer 503.',
    unit: 's',
    example: '60',
  }),
  databaseStatementTimeoutMs: setting('DATABASE_STATEMENT_TIMEOUT_MS', TIMEOUT_MS, '5000', {
    description: 'How long Postgres may work on one statement.',
    unit: 'ms',
    example: '3000',
  }),
  slowQueryMs: setting('SLOW_QUERY_MS', wholeNumber(1, 600_000), '500', {
    description: 'A query that takes longer is logged as "slow query", with its name.',
    unit: 'ms',
    example: '200',
  }),
  replicaUrl: optionalSetting('DATABASE_REPLICA_URL', databaseUrl(), {
    description:
      'A read replica of the database, asked first for history and search. Unset: the database alone.',
    example: 'postgresql://chat:secret@replica:5432/chat?connection_limit=20',
  }),
  replicaLagSecondsMax: setting('DATABASE_REPLICA_LAG_SECONDS_MAX', wholeNumber(1, 86_400), '5', {
    description: 'A replica whose history is further behind the log than this is not asked.',
    unit: 's',
    example: '10',
  }),
  connectionsMax: setting('CONNECTIONS_MAX', wholeNumber(1, 1_000_000), '5000', {
    description: 'Sockets and event streams per process together, at most.',
    unit: 'sockets',
    example: '20000',
  }),
  connectsPerSecondMax: setting('CONNECTS_PER_SECOND_MAX', wholeNumber(1, 1_000_000), '20000', {
    description: 'Connections opened per second and process, at most; more are asked to come back later.',
    unit: '1/s',
    example: '2000',
  }),
  recentEventsMax: setting('RECENT_EVENTS_MAX', wholeNumber(1, 10_000_000), '16384', {
    description: 'Newest events of the log that stay in memory, for clients that come back.',
    unit: 'events',
    example: '65536',
  }),
  recentBytesMax: setting('RECENT_EVENTS_BYTES_MAX', byteSize(1_024), '32MB', {
    description: 'What these events may hold together.',
    unit: 'bytes',
    example: '128MB',
  }),
  joinsPerSocketMax: setting('JOINS_PER_SOCKET_MAX', wholeNumber(1, 10_000), '200', {
    description: 'Conversations that one socket may have joined at a time.',
    unit: 'conversations',
    example: '50',
  }),
  backpressureBytesMax: setting('BACKPRESSURE_BYTES_MAX', byteSize(16 * 1_024), '1MB', {
    description: 'What may wait for a slow socket; beyond, it is closed and can resume.',
    unit: 'bytes',
    example: '256KB',
  }),
  presenceGraceMs: setting('PRESENCE_GRACE_MS', wholeNumber(0, 60_000), '5000', {
    description: 'How long a user whose last connection has closed still counts as online.',
    unit: 'ms',
    example: '10000',
  }),
  eventStreamSecondsMax: setting('EVENT_STREAM_SECONDS_MAX', wholeNumber(10, 86_400), '300', {
    description:
      'An event stream ends after about this time, and its client comes back by itself; a frozen one does not.',
    unit: 's',
    example: '120',
  }),
  corsOrigins: optionalSetting('CORS_ORIGINS', origins(), {
    description:
      'Whose web pages may use the API and connect to the edge. Unset: the API tells browsers of no other origin, the edge takes all.',
    example: 'https://chat.example.com,http://localhost:5173',
    secret: false,
  }),
  trustedUserHeader: optionalSetting(
    'TRUSTED_USER_HEADER',
    text('a header’s name of letters, digits and hyphens', /^[A-Za-z][A-Za-z0-9-]{0,63}$/),
    {
      description:
        'The header in which a gateway names the user: it alone decides who a request is from. Unset: clients name themselves.',
      example: 'X-User-Id',
      secret: false,
    },
  ),
  hstsSeconds: setting('HSTS_MAX_AGE_SECONDS', wholeNumber(0, 63_072_000), '31536000', {
    description: 'For how long browsers that came by TLS keep to it; 0 leaves that to the gateway.',
    unit: 's',
    example: '0',
  }),
  httpKeepAliveTimeoutMs: setting('HTTP_KEEP_ALIVE_TIMEOUT_MS', TIMEOUT_MS, '65000', {
    description:
      'How long the API keeps an idle connection; longer than the load balancer does, or requests meet closed ones.',
    unit: 'ms',
    example: '75000',
  }),
  httpHeadersTimeoutMs: setting('HTTP_HEADERS_TIMEOUT_MS', wholeNumber(100, 30_000), '10000', {
    description: 'How long a client may take to send the headers of a request to the API.',
    unit: 'ms',
    example: '5000',
  }),
  httpConnectionsMax: setting('HTTP_CONNECTIONS_MAX', wholeNumber(1, 1_000_000), '10000', {
    description: 'Connections to the API per process, at most; more are closed at once.',
    unit: 'connections',
    example: '2000',
  }),
  shutdownTimeoutMs: setting('SHUTDOWN_TIMEOUT_MS', TIMEOUT_MS, '10000', {
    description: 'How long a stopping process waits for work under way.',
    unit: 'ms',
    example: '30000',
  }),
};

/** What every setting is called, means and defaults to, in the order above. */
export function describeSettings(): readonly SettingDescription[] {
  return Object.values(settings).flatMap((schema) => descriptions.get(schema) ?? []);
}
