import { startRedis } from '../../../bench/support/redis.ts';
import { makeTempFolder } from '../run/testRun.ts';
import { startTestServer, type TestServer } from './testServer.ts';

/** A redis-server of the test's own, which keeps nothing on disk. The test stops it. */
export function startTestRedis(): Promise<TestServer> {
  return startTestServer(makeTempFolder('redis'), startRedis);
}
