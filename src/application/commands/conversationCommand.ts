import { ChatError } from '../../contracts/errors.ts';
import { formatPosition } from '../../contracts/position.ts';
import type { ConversationCommand } from '../../domain/conversation/commands.ts';
import { decideConversation } from '../../domain/conversation/decide.ts';
import { isRejection } from '../../domain/conversation/rejections.ts';
import type { ConversationState } from '../../domain/conversation/state.ts';
import { asChatError, rejectionError } from '../chatErrors.ts';
import type { ApplicationContext } from '../context.ts';
import { append } from './append.ts';

/** A conversation after a change and where in the log the change is. */
export interface ChangedConversation {
  readonly conversationId: string;
  readonly state: ConversationState;
  readonly seq: number;
  readonly position: string;
}

/** How often a change is decided, at most, when others keep coming first. */
const ATTEMPTS_MAX = 5;

/**
 * The one way in which conversations change: load → decide → append with the expected version. A command that
 * changes nothing answers with what is.
 *
 * @throws ChatError when the domain refuses, the race is lost {@link ATTEMPTS_MAX} times, or the log is in trouble
 */
export async function changeConversation(
  context: ApplicationContext,
  command: ConversationCommand,
): Promise<ChangedConversation> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const changed = await attemptChange(context, command);
    if (changed !== 'conflict') return changed;
  }
  throw new ChatError('conflict', 'Others kept changing this conversation; read it and try again.');
}

async function attemptChange(
  context: ApplicationContext,
  command: ConversationCommand,
): Promise<ChangedConversation | 'conflict'> {
  const { conversationId } = command;
  const { state, version } = await load(context, command);
  const decision = decideConversation(state, command);
  if (decision === null) return changed(context, conversationId, state, version);
  if (isRejection(decision)) throw rejectionError(decision);
  return append(context.log, decision, context.ids.idempotencyKey(), version, (result) => {
    if (result.outcome === 'conflict') return result.outcome;
    context.conversations.remember(conversationId, decision, result.seq);
    return changed(context, conversationId, decision.state, result.seq);
  });
}

/** A new conversation's id was made a moment ago: there is nothing to read. All others are read from the log. */
async function load(context: ApplicationContext, command: ConversationCommand) {
  if (command.type === 'CreateConversation') return { state: null, version: 0 };
  try {
    return await context.conversations.loadFresh(command.conversationId);
  } catch (cause) {
    throw asChatError(cause);
  }
}

function changed(
  context: ApplicationContext,
  conversationId: string,
  state: ConversationState | null,
  seq: number,
): ChangedConversation {
  if (state === null) throw new Error('A conversation that does not exist cannot have been left as it was');
  return { conversationId, state, seq, position: formatPosition(context.log.epoch, seq) };
}
