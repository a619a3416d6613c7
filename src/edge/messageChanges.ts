import { changeReaction } from '../application/commands/changeReaction.ts';
import { deleteMessage } from '../application/commands/deleteMessage.ts';
import { editMessage } from '../application/commands/editMessage.ts';
import type { ChangedMessage } from '../application/commands/messageCommand.ts';
import type { ApplicationContext } from '../application/context.ts';
import type { FrameOf } from '../contracts/frames/clientFrames.ts';
import type { ServerFrame } from '../contracts/frames/serverFrames.ts';

export type ChangeRequest = FrameOf<'edit' | 'delete' | 'react' | 'unreact'>;

/**
 * Changes a message, as the calls of the HTTP API do.
 *
 * @param userId whose socket it came on: never one that the frame names
 * @throws ChatError when the domain refuses or the log is in trouble
 */
export async function changeMessage(
  application: ApplicationContext,
  userId: string,
  frame: ChangeRequest,
): Promise<ServerFrame> {
  const { messageId, seq, position, at, ...rest } = await carryOut(application, userId, frame);
  return { op: 'changed', id: frame.id, messageId, seq, position, at, ...rest };
}

async function carryOut(
  application: ApplicationContext,
  userId: string,
  frame: ChangeRequest,
): Promise<ChangedMessage & { erased?: number }> {
  const { conversationId, messageId, seq } = frame;
  const which = { conversationId, userId, messageId, seq };
  switch (frame.op) {
    case 'edit':
      return editMessage(application, { ...which, content: frame.content });
    case 'delete': {
      const erase = frame.erase === true;
      const { erased, ...deleted } = await deleteMessage(application, { ...which, erase });
      return erase ? { ...deleted, erased } : deleted;
    }
    case 'react':
    case 'unreact':
      return changeReaction(application, { ...which, emoji: frame.emoji, add: frame.op === 'react' });
  }
}
