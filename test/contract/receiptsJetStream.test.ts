import { openTestReceipts } from '../support/eventlog/jetStreamReceipts.ts';
import { startTestNats } from '../support/servers/nats.ts';
import { receiptsContract } from './receiptsContract.ts';

receiptsContract('the receipts on JetStream', async () => {
  const nats = await startTestNats();
  const { receipts, close } = await openTestReceipts(nats.url);
  return { receipts, close: () => close().then(() => nats.stop()) };
});
