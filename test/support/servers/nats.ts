import { startEmbeddedNats } from '../../../src/platform/embedded/natsServer.ts';
import { makeTempFolder } from '../run/testRun.ts';
import { startTestServer, type TestServer } from './testServer.ts';

export interface TestNatsOptions {
  /** Default 1 GiB. */
  readonly fileStoreBytesMax?: number;
}

/** A nats-server with JetStream of the test's own. The test stops it. */
export function startTestNats({ fileStoreBytesMax = 1024 ** 3 }: TestNatsOptions = {}): Promise<TestServer> {
  const binary = process.env.NATS_SERVER_BIN ?? 'nats-server';
  return startTestServer(makeTempFolder('nats'), (dataDir, port) =>
    startEmbeddedNats({ dataDir, binary, port, fileStoreBytesMax }),
  );
}
