import type { NatsConnection } from 'nats';
import { type ApplicationContext, openApplication } from '../application/context.ts';
import { openConfiguredAttachments, openConfiguredLog } from '../eventlog/jetstream/configuredLog.ts';
import type { JetStreamLog } from '../eventlog/jetstream/jetStreamLog.ts';
import type { Config } from '../platform/config/config.ts';
import { readRunFile } from '../platform/embedded/runFile.ts';
import { systemIds } from '../platform/ids.ts';
import { connectNats } from '../platform/nats/connection.ts';
import { type Database, openDatabase } from '../platform/postgres/database.ts';
import { systemClock } from '../platform/time/clock.ts';
import { historyPlaces } from '../queries/messagePlaces.ts';

/** A running system as the command line reaches it. */
export interface CliEnvironment {
  readonly application: ApplicationContext;
  readonly log: JetStreamLog;
  readonly connection: NatsConnection;
  readonly database: Database;
  close(): Promise<void>;
}

/** No running system was found. */
export class NotRunningError extends Error {
  override readonly name = 'NotRunningError';
}

/** A pass over every message may take minutes; the command line may wait. */
const STATEMENT_MS_MAX = 600_000;
/** An operator waits until a message is found, however far back it is and whether or not the database answers. */
const PATIENT = { eventsMax: Number.POSITIVE_INFINITY, searchMsMax: 600_000 };

/**
 * Finds the running system: by NATS_URL and DATABASE_URL where they are set, else through `run.json`, which the
 * system's own process wrote into CHAT_DATA_DIR.
 *
 * @throws NotRunningError, NatsConnectError, StreamMissingError
 */
export async function openEnvironment(config: Config): Promise<CliEnvironment> {
  const { natsUrl, databaseUrl } = locate(config);
  const connection = await connectNats({ url: natsUrl, name: 'chat-backend cli', connectTimeoutMs: 3_000 });
  try {
    return await openOver(connection, config, databaseUrl);
  } catch (error) {
    // An open connection would keep the command from ending.
    await connection.close();
    throw error;
  }
}

/** The streams stay as they are: how large they may grow is for the processes that serve to say. */
async function openOver(
  connection: NatsConnection,
  config: Config,
  databaseUrl: string,
): Promise<CliEnvironment> {
  const log = await openConfiguredLog(config, connection, () => {}, 'as found');
  const attachments = await openConfiguredAttachments(config, connection, 'as found');
  const database = openDatabase({
    url: databaseUrl,
    applicationName: 'chat-backend cli',
    connectionsMax: 3,
    statementMsMax: STATEMENT_MS_MAX,
  });
  const parts = { log, feed: log, attachments, clock: systemClock, ids: systemIds };
  const application = openApplication({ ...parts, searchLimits: PATIENT });
  application.search.usePlaces(historyPlaces(database, () => log.epoch));
  const close = async () => {
    await attachments.close(5_000);
    await log.close(5_000);
    await database.close();
    await connection.close();
  };
  return { application, log, connection, database, close };
}

function locate(config: Config): { natsUrl: string; databaseUrl: string } {
  const run = readRunFile(config.dataDir);
  const natsUrl = config.natsUrl ?? run?.nats?.url;
  const databaseUrl = config.databaseUrl ?? run?.postgres?.url;
  if (natsUrl === undefined || databaseUrl === undefined) {
    throw new NotRunningError(
      `No running system was found: ${config.dataDir}/run.json is not there. Start one with "npm start", name its ` +
        'folder with CHAT_DATA_DIR, or set NATS_URL and DATABASE_URL.',
    );
  }
  return { natsUrl, databaseUrl };
}
