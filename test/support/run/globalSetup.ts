import { rmSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { query, startSharedPostgres, testDatabasePrefix } from '../servers/postgres.ts';
import type { TestServer } from '../servers/testServer.ts';
import { assertNothingLeft } from './leaks.ts';
import { makeRunFolder } from './testRun.ts';

/**
 * Vitest calls this once for each of the run's projects that names it, each in a module instance of its own, but in one
 * process. They share one server: the first makes it, the last one ends it and looks for what is left.
 */
interface Shared {
  users: number;
  readonly runFolder: string;
  readonly postgres: Promise<TestServer>;
}

const place = globalThis as typeof globalThis & { chatTestShared?: Shared | undefined };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = place.chatTestShared ?? {
    users: 0,
    runFolder: makeRunFolder(),
    postgres: startSharedPostgres(),
  };
  place.chatTestShared = shared;
  shared.users++;
  const leave = async (): Promise<void> => {
    shared.users--;
    if (shared.users > 0) return;
    place.chatTestShared = undefined;
    await tearDown(shared);
  };
  try {
    project.provide('testPostgresUrl', (await shared.postgres).url);
  } catch (error) {
    // Vitest does not ask for a clean-up after a set-up that failed.
    await leave().catch(() => undefined);
    throw error;
  }
  return leave;
}

/** Every check is made, so that nothing stays behind whichever of them fails. */
async function tearDown({ postgres, runFolder }: Shared): Promise<void> {
  try {
    const server = await postgres;
    const databases = await Promise.allSettled([assertNoDatabaseLeft(server.url)]);
    await server.stop();
    const others = await Promise.allSettled([assertNothingLeft(runFolder)]);
    const failed = [...databases, ...others].filter((check) => check.status === 'rejected');
    if (failed.length > 0) throw new Error(failed.map((check) => String(check.reason)).join('\n'));
  } catch (error) {
    // Vitest prints what a tear-down throws, and calls the run a success all the same.
    process.exitCode = 1;
    throw error;
  } finally {
    rmSync(runFolder, { recursive: true, force: true });
  }
}

async function assertNoDatabaseLeft(url: string): Promise<void> {
  const left = await query(
    url,
    `SELECT datname FROM pg_database WHERE datname LIKE '${testDatabasePrefix}%'`,
  );
  if (left.length > 0)
    throw new Error(`The tests left ${left.length} databases behind: ${JSON.stringify(left)}`);
}
