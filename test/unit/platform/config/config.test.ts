import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateDocs } from '../../../../src/cli/docs/generateDocs.ts';
import { ConfigError, loadConfig } from '../../../../src/platform/config/config.ts';
import { describeSettings } from '../../../../src/platform/config/settings.ts';
import { projectRoot } from '../../../../src/platform/embedded/projectRoot.ts';

const DEFAULTS = {
  roles: ['api', 'edge', 'projector', 'maintenance'],
  host: '0.0.0.0',
  port: 3001,
  edgePort: 3002,
  natsUrl: undefined,
  databaseUrl: undefined,
  redisUrl: undefined,
  dataDir: '.data',
  logLevel: 'info',
  streamBytesMax: 4 * 1_024 ** 3,
  streamReplicas: 1,
  natsSyncIntervalMs: 120_000,
  publishWindowMessages: 2_048,
  publishQueueMessagesMax: 16_384,
  publishQueueBytesMax: 64 * 1_024 ** 2,
  publishAckTimeoutMs: 2_000,
  publishDeadlineMs: 10_000,
  projectionBatchEvents: 2_000,
  projectionLagSecondsMax: 30,
  databaseStatementTimeoutMs: 5_000,
  slowQueryMs: 500,
  uploadBytesMax: 10 * 1_024 ** 2,
  uploadsBytesMax: 1_024 ** 3,
  uploadsParallelMax: 32,
  replicaLagSecondsMax: 5,
  connectionsMax: 5_000,
  presenceGraceMs: 5_000,
  eventStreamSecondsMax: 300,
  joinsPerSocketMax: 200,
  receiptsBytesMax: 256 * 1_024 ** 2,
  connectsPerSecondMax: 20_000,
  recentEventsMax: 16_384,
  recentBytesMax: 32 * 1_024 ** 2,
  backpressureBytesMax: 1_024 ** 2,
  corsOrigins: undefined,
  hstsSeconds: 31_536_000,
  httpKeepAliveTimeoutMs: 65_000,
  httpHeadersTimeoutMs: 10_000,
  httpConnectionsMax: 10_000,
  shutdownTimeoutMs: 10_000,
};
const CLUSTER = 'nats://a:4222,nats://b:4222';

function messageOf(env: Record<string, string>): string {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error(`Taken without complaint: ${JSON.stringify(env)}`);
}

describe('the config', () => {
  it('has a default for everything', () => {
    const urls = { natsUrl: undefined, databaseUrl: undefined, redisUrl: undefined };
    expect({ ...urls, corsOrigins: undefined, ...loadConfig({}) }).toEqual(DEFAULTS);
  });

  it('is frozen', () => {
    const config = loadConfig({});
    expect(Object.isFrozen(config) && Object.isFrozen(config.roles)).toBe(true);
  });

  it('takes an empty variable for an unset one and ignores those it does not know', () => {
    const empty = Object.fromEntries(describeSettings().map(({ variable }) => [variable, '']));
    expect(loadConfig({ ...empty, HOME: '/root', PORTS: 'x' })).toEqual(loadConfig({}));
  });

  it.each([
    ['ROLES', 'edge', 'roles', ['edge']],
    ['ROLES', 'projector, api', 'roles', ['api', 'projector']],
    ['ROLES', 'api,api', 'roles', ['api']],
    ['ROLES', 'edge,all', 'roles', ['api', 'edge', 'projector', 'maintenance']],
    ['ROLES', 'maintenance', 'roles', ['maintenance']],
    ['HOST', '::1', 'host', '::1'],
    ['PORT', '0', 'port', 0],
    ['EDGE_PORT', '65535', 'edgePort', 65_535],
    ['NATS_URL', 'nats://user:pw@a:4222 , tls://b', 'natsUrl', 'nats://user:pw@a:4222,tls://b'],
    ['DATABASE_URL', 'postgres://u:p@h/d', 'databaseUrl', 'postgres://u:p@h/d'],
    ['REDIS_URL', 'redis://localhost', 'redisUrl', 'redis://localhost'],
    ['REDIS_URL', 'rediss://chat:p%40ss@h:6380/3', 'redisUrl', 'rediss://chat:p%40ss@h:6380/3'],
    ['REDIS_URL', 'redis://[::1]:6379', 'redisUrl', 'redis://[::1]:6379'],
    ['CHAT_DATA_DIR', '/var/lib/chat data', 'dataDir', '/var/lib/chat data'],
    ['LOG_LEVEL', 'silent', 'logLevel', 'silent'],
    ['CORS_ORIGINS', '*', 'corsOrigins', '*'],
    [
      'CORS_ORIGINS',
      'https://Chat.example.com , http://localhost:5173,capacitor://localhost',
      'corsOrigins',
      ['https://chat.example.com', 'http://localhost:5173', 'capacitor://localhost'],
    ],
    ['STREAM_MAX_BYTES', '1048576', 'streamBytesMax', 1_048_576],
    ['STREAM_MAX_BYTES', '2048KB', 'streamBytesMax', 2 * 1_024 ** 2],
    ['STREAM_MAX_BYTES', '512MB', 'streamBytesMax', 512 * 1_024 ** 2],
    ['NATS_SYNC_INTERVAL', 'always', 'natsSyncIntervalMs', 'always'],
    ['NATS_SYNC_INTERVAL', '500ms', 'natsSyncIntervalMs', 500],
    ['NATS_SYNC_INTERVAL', '30s', 'natsSyncIntervalMs', 30_000],
    ['NATS_SYNC_INTERVAL', '1h', 'natsSyncIntervalMs', 3_600_000],
    ['PUBLISH_WINDOW', '8192', 'publishWindowMessages', 8_192],
    ['BACKPRESSURE_BYTES_MAX', '64KB', 'backpressureBytesMax', 65_536],
  ] as const)('reads %s=%s', (variable, value, name, wanted) => {
    expect(loadConfig({ [variable]: value })[name]).toEqual(wanted);
  });

  it('keeps the pool settings in DATABASE_URL', () => {
    const url = 'postgresql://chat:secret@db:5432/chat?connection_limit=20&pool_timeout=5';
    expect(loadConfig({ DATABASE_URL: url }).databaseUrl).toBe(url);
  });

  it('takes three replicas when there is a cluster', () => {
    expect(loadConfig({ STREAM_REPLICAS: '3', NATS_URL: CLUSTER }).streamReplicas).toBe(3);
  });
});

describe('a wrong setting', () => {
  it.each([
    ['ROLES', 'api,chef'],
    ['ROLES', 'api,'],
    ['ROLES', 'toString'],
    ['HOST', 'my host'],
    ['PORT', 'abc'],
    ['PORT', '-1'],
    ['PORT', '65536'],
    ['PORT', '3001.5'],
    ['PORT', '0x10'],
    ['PORT', ' '],
    ['NATS_URL', 'localhost:4222'],
    ['NATS_URL', 'nats://a:4222,'],
    ['NATS_URL', 'http://a'],
    ['DATABASE_URL', 'mysql://h/d'],
    ['DATABASE_URL', 'postgres://'],
    ['DATABASE_URL', 'postgres://h/d?connection_limit=0'],
    ['DATABASE_URL', 'postgres://h/d?pool_timeout=soon'],
    ['REDIS_URL', 'localhost:6379'],
    ['REDIS_URL', 'redis://'],
    ['REDIS_URL', 'redis://h/chat'],
    ['REDIS_URL', 'redis://h:port'],
    ['REDIS_URL', 'redis://a:6379,redis://b:6379'],
    ['LOG_LEVEL', 'INFO'],
    ['STREAM_MAX_BYTES', '4 GB'],
    ['STREAM_MAX_BYTES', '1.5GB'],
    ['STREAM_MAX_BYTES', '1023KB'],
    ['STREAM_MAX_BYTES', '999999999999999GB'],
    ['STREAM_REPLICAS', '2'],
    ['NATS_SYNC_INTERVAL', '0s'],
    ['NATS_SYNC_INTERVAL', 'never'],
    ['PUBLISH_WINDOW', '0'],
    ['PUBLISH_WINDOW', '8193'],
    ['PROJECTION_BATCH_SIZE', '10001'],
    ['SHUTDOWN_TIMEOUT_MS', '1e4'],
    ['CORS_ORIGINS', 'https://chat.example.com/'],
    ['CORS_ORIGINS', 'https://chat.example.com:443'],
    ['CORS_ORIGINS', 'https://*.example.com'],
    ['CORS_ORIGINS', 'chat.example.com'],
    ['CORS_ORIGINS', 'https://a,*'],
    ['CORS_ORIGINS', 'https://a,'],
    ['HTTP_KEEP_ALIVE_TIMEOUT_MS', '0'],
    ['HTTP_HEADERS_TIMEOUT_MS', '60000'],
  ])('%s=%j is refused in one line that says what would be right', (variable, value) => {
    const message = messageOf({ [variable]: value });
    expect(message.split('\n')).toHaveLength(1);
    expect(message).toMatch(new RegExp(`^${variable} .+\\. Allowed: .+\\. Example: ${variable}=.+$`));
  });

  it('is quoted, so that it is found', () => {
    expect(messageOf({ PORT: '99999' })).toBe(
      'PORT is "99999". Allowed: a whole number from 0 to 65535. Example: PORT=3001',
    );
  });

  it('is named together with all others, a line each', () => {
    const lines = messageOf({ PORT: 'x', LOG_LEVEL: 'loud\nand clear', PUBLISH_WINDOW: '-' }).split('\n');
    expect(lines.map((line) => line.split(' ')[0]).sort()).toEqual(['LOG_LEVEL', 'PORT', 'PUBLISH_WINDOW']);
  });

  it.each(['NATS_URL', 'DATABASE_URL', 'REDIS_URL'])(
    '%s is not repeated: it may hold a password',
    (variable) => {
      expect(messageOf({ [variable]: 'ftp://chat:hunter2@h' })).not.toContain('hunter2');
    },
  );

  it('is one that contradicts another', () => {
    expect(messageOf({ PORT: '4000', EDGE_PORT: '4000' })).toMatch(/^EDGE_PORT is 4000, the same as PORT/);
    expect(messageOf({ PUBLISH_ACK_TIMEOUT_MS: '5000', PUBLISH_DEADLINE_MS: '4000' })).toMatch(
      /^PUBLISH_ACK_TIMEOUT_MS is 5000, more than PUBLISH_DEADLINE_MS \(4000\)/,
    );
    expect(messageOf({ STREAM_REPLICAS: '3' })).toMatch(/^STREAM_REPLICAS is 3, but .+ set NATS_URL/);
    expect(loadConfig({ PORT: '0', EDGE_PORT: '0' })).toMatchObject({ port: 0, edgePort: 0 });
  });
});

describe('the description of a setting', () => {
  it.each(describeSettings().map((about) => [about.variable, about] as const))(
    'of %s is complete',
    (name, about) => {
      expect(about.description).toMatch(/^[A-Z].+\.$/);
      expect(() => loadConfig({ [name]: about.example, NATS_URL: CLUSTER })).not.toThrow();
    },
  );
});

describe('generated documentation', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'chat-docs-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is up to date; if not, run "npm run docs"', () => {
    for (const [path, content] of generateDocs()) {
      const file = join(projectRoot(), path);
      expect(existsSync(file) ? readFileSync(file, 'utf8') : null, path).toBe(content);
    }
  });

  it('.env.example says what is the case without it', () => {
    const lines = (generateDocs(folder).get('.env.example') ?? '')
      .split('\n')
      .filter((line) => /^[A-Z]/.test(line));
    const env = Object.fromEntries(lines.map((line) => line.split('=', 2)));
    expect(Object.keys(env).length).toBeGreaterThan(15);
    expect(loadConfig(env)).toEqual(loadConfig({}));
  });

  it('replaces the table between the marks in the README, again and again, and nothing else', () => {
    const readme = (table: string) =>
      `# Chat\n\n<!-- config:begin -->\n${table}<!-- config:end -->\n\nThe end, $& and all.\n`;
    writeFileSync(join(folder, 'README.md'), readme('yesterday\n'));
    const first = generateDocs(folder).get('README.md') ?? '';
    expect(first).toContain('| `PUBLISH_WINDOW` | `2048` | messages | a whole number from 1 to 8192 |');
    expect(first.startsWith('# Chat\n') && first.endsWith('The end, $& and all.\n')).toBe(true);
    expect(first).not.toContain('yesterday');
    writeFileSync(join(folder, 'README.md'), first);
    expect(generateDocs(folder).get('README.md')).toBe(first);
  });

  it('leaves out a README that does not exist and complains about one without the marks', () => {
    expect([...generateDocs(folder).keys()]).toEqual([
      '.env.example',
      'docs/errors.md',
      'docs/api/openapi.json',
      'docs/api/asyncapi.json',
    ]);
    writeFileSync(join(folder, 'README.md'), '# Chat\n');
    expect(() => generateDocs(folder)).toThrow(/config:begin/);
  });
});
