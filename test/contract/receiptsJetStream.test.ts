import { openTestReceipts } from '../support/jetStreamReceipts.ts';
import { startTestNats } from '../support/nats.ts';
import { receiptsContract } from './receiptsContract.ts';

receiptsContract('the receipts on JetStream', async () => {
  const nats = await startTestNats();
  const { receipts, close } = await openTestReceipts(nats.url);
  return { receipts, close: () => close().then(() => nats.stop()) };
});
