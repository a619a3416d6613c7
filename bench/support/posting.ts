import { appendConversations } from './chatHistory.ts';
import { corpusTexts } from './corpus.ts';
import { openBenchLog } from './log.ts';
import { postRequest } from './rawHttp.ts';

/** New open conversations in the log. @returns their ids */
export async function newConversations(natsUrl: string, count: number): Promise<string[]> {
  const { log, connection } = await openBenchLog(natsUrl);
  const ids = await appendConversations(log, count);
  await log.close(1_000);
  await connection.close();
  return ids;
}

/** Requests that post what people have really said to these conversations in turns, each message once. */
export function posting(conversationIds: readonly string[], name: string): (n: number) => string {
  const texts = corpusTexts();
  return (n) => {
    const conversationId = conversationIds[n % conversationIds.length];
    const content = texts[n % texts.length];
    const message = { conversationId, userId: 'bench', clientMessageId: `${name}-${n}`, content };
    return postRequest('/api/chat/messages', JSON.stringify(message));
  };
}
