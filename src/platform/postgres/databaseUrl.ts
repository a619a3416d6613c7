/** What a `DATABASE_URL` says: where Postgres is, and Prisma's two pool settings, which pg does not know. */
export interface DatabaseUrl {
  /** The URL without the parameters below, as pg takes it. */
  readonly connectionString: string;
  /** `host:port/database`, for messages: never a password. */
  readonly where: string;
  /** `connection_limit`: connections in the pool. */
  readonly connectionsMax: number | null;
  /** `pool_timeout`, in milliseconds (the URL says seconds): how long a query waits for a connection. */
  readonly acquireMsMax: number | null;
}

const CONNECTIONS_MAX = 1_000;
const POOL_TIMEOUT_SECONDS_MAX = 120;

/**
 * Takes `DATABASE_URL` apart, so that `?connection_limit=20&pool_timeout=5` does what the runbooks say.
 *
 * @throws Error with one line that says what is wrong and what would be right
 */
export function parseDatabaseUrl(url: string): DatabaseUrl {
  const [base = '', query = ''] = url.split('?', 2);
  if (!/^postgres(ql)?:\/\/\S+$/.test(base)) {
    throw new Error('DATABASE_URL must have the form postgresql://user:password@host:5432/database');
  }
  const parameters = new URLSearchParams(query);
  const connectionsMax = takeInteger(parameters, 'connection_limit', CONNECTIONS_MAX);
  const timeoutSeconds = takeInteger(parameters, 'pool_timeout', POOL_TIMEOUT_SECONDS_MAX);
  const schema = parameters.get('schema') ?? 'public';
  if (schema !== 'public') {
    throw new Error(
      `DATABASE_URL names schema=${schema}: leave it out, the read models have their own schemas`,
    );
  }
  parameters.delete('schema');
  const rest = parameters.size === 0 ? '' : `?${parameters}`;
  const acquireMsMax = timeoutSeconds === null ? null : timeoutSeconds * 1_000;
  return { connectionString: base + rest, where: whereIs(base), connectionsMax, acquireMsMax };
}

function takeInteger(parameters: URLSearchParams, name: string, max: number): number | null {
  const text = parameters.get(name);
  parameters.delete(name);
  if (text === null) return null;
  const value = Number(text);
  // 0 would mean "wait without end" to Prisma: nothing waits without end here.
  if (/^\d{1,6}$/.test(text) && value >= 1 && value <= max) return value;
  throw new Error(`DATABASE_URL has ${name}=${text}: it must be a whole number from 1 to ${max}`);
}

function whereIs(base: string): string {
  return base.slice(base.indexOf('//') + 2).replace(/^.*@/, '');
}
