import { openTestLog } from '../support/jetStreamLog.ts';
import { startTestNats } from '../support/nats.ts';
import { eventLogContract } from './eventLogContract.ts';

eventLogContract('the log on JetStream', async () => {
  const server = await startTestNats();
  const { log, close } = await openTestLog(server.url);
  return {
    log,
    close: async () => {
      await close();
      await server.stop();
    },
  };
});
