import { startRedis } from '../../../bench/support/redis.ts';
import { Redis } from '../../../src/platform/redis/redis.ts';
import { makeTempFolder } from '../run/testRun.ts';
import { startTestServer, type TestServer } from './testServer.ts';

/** A redis-server of the test's own, which keeps nothing on disk. The test stops it. */
export function startTestRedis(): Promise<TestServer> {
  return startTestServer(makeTempFolder('redis'), startRedis);
}

const PATIENCE_MS = 40_000;

/** Gives every command much time: for a Redis that is well, on a machine that may be too busy to answer within 100 ms. */
export class PatientRedis extends Redis {
  override command(args: readonly string[]): Promise<unknown> {
    return super.command(args, PATIENCE_MS);
  }
}
