import { createConversation } from '../../src/application/commands/createConversation.ts';
import { postMessage } from '../../src/application/commands/postMessage.ts';
import { benchApplication } from './application.ts';
import { openBenchLog } from './log.ts';

/** Somebody who creates conversations and says things, past any edge. */
export async function openSpeaker(natsUrl: string) {
  const { log, connection } = await openBenchLog(natsUrl);
  const context = benchApplication(log);
  const wanted = { userId: 'bench', title: null, visibility: 'open', participantIds: [] } as const;
  return {
    newConversation: async () => (await createConversation(context, wanted)).conversationId,
    say: (conversationId: string, content: string) =>
      postMessage(context, { conversationId, userId: 'bench', content }),
    close: async () => {
      await log.close(1_000);
      await connection.close();
    },
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
