import { DatabaseError } from 'pg';
import { z } from 'zod';
import { Prisma } from '../../../prisma/generated/client.ts';
import { ChatError } from '../../contracts/errors.ts';

/**
 * SQLSTATE classes and codes that say that the statement is wrong, not the database: trying again is no use. Not among
 * them are a table that is not there (yet) and a right that is not given (yet). XX000 is what Postgres raises where it has
 * no code of its own, as for a search that is nested too deeply. Source: PostgreSQL, appendix A.
 */
const WRONG_STATEMENT = /^(0A|2[0123]|42(?!501|P01)|54|XX000)/;

/**
 * SQLSTATE classes that speak of this one statement and the tables it names: wrong statements, deadlocks, locks that were
 * not to be had, tables and rights that are not there. Others may be answered all the same.
 */
const ONE_STATEMENT = /^(0A|2[0123]|3F|40|42|54|55P03|XX000)/;

/** How the adapter wraps what pg said, as far as it matters here. */
const DriverMeta = z.object({
  driverAdapterError: z.object({
    cause: z.object({
      kind: z.string(),
      originalCode: z.string().optional(),
      originalMessage: z.string().optional(),
    }),
  }),
});

/**
 * What a failed question means. A fault of the database (unreachable, overloaded, too slow, not set up yet) is
 * expected in operation and becomes `database_unavailable`; a wrong statement is a bug and stays as it is.
 */
export function databaseFault(cause: unknown): unknown {
  if (cause instanceof ChatError || cause instanceof Prisma.PrismaClientValidationError) return cause;
  const driver = driverCause(cause);
  if (driver?.kind === 'UnsupportedNativeDataType') return cause;
  if (driver?.originalCode !== undefined && WRONG_STATEMENT.test(driver.originalCode)) return cause;
  return new ChatError('database_unavailable', 'The database does not answer; sending still works.', {
    cause,
  });
}

/**
 * Whether an error says that the database is in trouble, for a breaker to count: never what comes of one statement, and
 * so never what a client can bring about by what it asks.
 */
export function isDatabaseTrouble(error: unknown): boolean {
  if (!(error instanceof ChatError) || error.code !== 'database_unavailable') return false;
  return !ONE_STATEMENT.test(sqlState(error.cause) ?? '');
}

/** Whether Postgres gave up a statement because of its time limit. */
export function isStatementTimeout(error: unknown): boolean {
  return sqlState(error) === QUERY_CANCELED;
}

const QUERY_CANCELED = '57014';

/** What Postgres said, in its own code; undefined when it said nothing. */
function sqlState(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : driverCause(error)?.originalCode;
}

/**
 * SQLSTATE classes of a server that is away, overwhelmed, ending or damaged: 08, 53, 57P, 58, XX001, XX002. Source:
 * PostgreSQL, appendix A.
 */
const SERVER_TROUBLE = /^(08|53|57P|58|XX00[12])/;

/**
 * Whether pg failed because of the server or the way to it, and not because of what was asked of it: then there either is
 * no SQLSTATE at all, or one that speaks of the server.
 */
export function isServerFault(error: unknown): boolean {
  if (error instanceof DatabaseError) return SERVER_TROUBLE.test(error.code ?? '');
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return (
    /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)/.test(code) ||
    PG_LOST.test(error.message)
  );
}

/** What pg says of connections without giving it a code. Source: pg 8, client.js and pg-pool. */
const PG_LOST =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error)/;

/** One line that says what the database's trouble is, for health checks and logs: no SQL, no addresses of ours. */
export function faultReason(error: unknown): string {
  const cause = error instanceof ChatError && error.cause !== undefined ? error.cause : error;
  const driver = driverCause(cause);
  if (driver !== undefined) return driver.originalMessage ?? driver.kind;
  return cause instanceof Error ? cause.message : String(cause);
}

function driverCause(error: unknown) {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return undefined;
  return DriverMeta.safeParse(error.meta).data?.driverAdapterError.cause;
}
