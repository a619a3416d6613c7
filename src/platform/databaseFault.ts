import { z } from 'zod';
import { Prisma } from '../../prisma/generated/client.ts';
import { ChatError } from '../contracts/errors.ts';

/** SQLSTATE classes and codes that say that the statement is wrong, not the database: trying again is no use. */
const WRONG_STATEMENT = /^(22|23|42601|42703|42804|42883|42P02|42P08|42P18)/;

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
