import type { TargetMessage } from '../../domain/conversation/commands.ts';
import { type ApplicationContext, timestamp } from '../context.ts';
import { findMessage } from '../reading/findMessage.ts';
import { type ChangedMessage, changeMessage, type MessageToChange } from './messageCommand.ts';
import { inLog } from './reactionKinds.ts';

/**
 * Adds or takes back a reaction. Everybody who may see the conversation may. A second time changes nothing.
 *
 * @param request.emoji in its one spelling
 * @throws ChatError conflict when the message has as many kinds of reactions as it takes
 */
export async function changeReaction(
  context: ApplicationContext,
  request: MessageToChange & { emoji: string; add: boolean },
): Promise<ChangedMessage> {
  const target = await findMessage(context, request);
  if (request.add) return addReaction(context, request, target);
  const { conversationId, userId, emoji, messageId } = request;
  const command = { type: 'RemoveReaction', conversationId, userId, target, emoji } as const;
  return changeMessage(context, messageId, { ...command, at: timestamp(context) });
}

async function addReaction(
  context: ApplicationContext,
  { conversationId, userId, emoji, messageId }: MessageToChange & { emoji: string },
  target: TargetMessage,
): Promise<ChangedMessage> {
  const command = { type: 'AddReaction', conversationId, userId, target, emoji } as const;
  if (target === null) {
    const kinds = { count: 0, includesThis: false };
    return changeMessage(context, messageId, { ...command, kinds, at: timestamp(context) });
  }
  const { kinds, settle } = await context.reactions.reserve(inLog(conversationId, target), emoji);
  let seq: number | null = null;
  try {
    const changed = await changeMessage(context, messageId, { ...command, kinds, at: timestamp(context) });
    seq = changed.seq;
    return changed;
  } finally {
    settle(seq);
  }
}
