import { deleteMessage, OPERATOR } from '../../application/commands/deleteMessage.ts';
import { eraseUserMessages } from '../../application/commands/eraseUserMessages.ts';
import { findMessage } from '../../application/reading/findMessage.ts';
import { findMessageInLog, findUserInLog, type SearchProgress } from '../../maintenance/erasure/findInLog.ts';
import type { Config } from '../../platform/config/config.ts';
import { writeAudit } from '../auditLog.ts';
import type { CliEnvironment } from '../environment.ts';
import { EXIT, NotFoundError, type Outcome, ok } from '../outcome.ts';
import { ProgressBar } from '../progressBar.ts';

export interface EraseChoice {
  /** Confirmed; otherwise it is said what would be erased. */
  readonly yes: boolean;
  readonly reason: string | null;
}

/** `erase --message M [--conversation C]` */
export async function runEraseMessage(
  { application }: Pick<CliEnvironment, 'application'>,
  config: Pick<Config, 'dataDir'>,
  { messageId, conversationId }: { readonly messageId: string; readonly conversationId: string | undefined },
  { yes, reason }: EraseChoice,
): Promise<Outcome> {
  const place =
    conversationId === undefined
      ? await withBar((onProgress) => findMessageInLog(application, messageId, onProgress))
      : { conversationId };
  const target = place === null ? null : await findMessage(application, { ...place, messageId });
  if (place === null || target === null) {
    throw new NotFoundError(
      `The log holds no message ${messageId}${conversationId === undefined ? '' : ' in this conversation'}, or no more.`,
    );
  }
  const what = { messageId, conversationId: place.conversationId, userId: target.authorId, seq: target.seq };
  const named = `message ${messageId} of ${target.authorId} in ${place.conversationId}, from ${target.at}`;
  if (!yes) return unconfirmed(named, what);
  const { erased } = await audited(config, { reason, ...what }, () =>
    deleteMessage(application, { ...what, userId: OPERATOR, erase: true, by: 'operator' }),
  );
  return ok(`Erased ${named}: ${erased} events`, { ...what, erased });
}

/** `erase --user U` */
export async function runEraseUser(
  { application }: Pick<CliEnvironment, 'application'>,
  config: Pick<Config, 'dataDir'>,
  userId: string,
  { yes, reason }: EraseChoice,
): Promise<Outcome> {
  const found = await withBar((onProgress) => findUserInLog(application, userId, onProgress));
  const events = [...found.values()].reduce((sum, count) => sum + count, 0);
  const what = { userId, conversations: found.size, events };
  const named = `${events} messages and edits of ${userId} in ${found.size} conversations`;
  if (!yes) return unconfirmed(named, what);
  const erased = await audited(config, { reason, userId }, () =>
    eraseAll({ application }, userId, [...found.keys()]),
  );
  const text = `Erased ${erased.messages} messages of ${userId} in ${found.size} conversations: ${erased.events} events`;
  return ok(text, { ...what, ...erased });
}

async function eraseAll(
  { application }: Pick<CliEnvironment, 'application'>,
  userId: string,
  conversationIds: readonly string[],
) {
  const bar = new ProgressBar('erase', 'conversations');
  const sum = { messages: 0, events: 0 };
  try {
    for (const [index, conversationId] of conversationIds.entries()) {
      const { messages, events } = await eraseUserMessages(application, conversationId, userId);
      sum.messages += messages;
      sum.events += events;
      bar.update((index + 1) / conversationIds.length, index + 1);
    }
  } finally {
    bar.end();
  }
  return sum;
}

/** Notes what is about to be done, does it, and notes how it ended. */
async function audited<T extends object>(
  config: Pick<Config, 'dataDir'>,
  { reason, ...details }: { readonly reason: string | null; readonly [detail: string]: unknown },
  work: () => Promise<T>,
): Promise<T> {
  const record = { action: 'erase', reason, ...details };
  writeAudit(config, { ...record, outcome: 'begun' });
  try {
    const result = await work();
    writeAudit(config, { ...record, outcome: 'done', result });
    return result;
  } catch (error) {
    writeAudit(config, { ...record, outcome: 'failed', error: String(error) });
    throw error;
  }
}

function unconfirmed(named: string, what: object): Outcome {
  const text = `Would erase ${named}. Nothing was erased: it cannot be undone. Say --yes to do it.`;
  return { text, json: { ...what, confirmed: false }, exitCode: EXIT.checkFailed };
}

async function withBar<T>(
  search: (onProgress: (progress: SearchProgress) => void) => Promise<T>,
): Promise<T> {
  const bar = new ProgressBar('search the log', 'events');
  return search(({ read, total }) => bar.update(read / Math.max(1, total), read)).finally(() => bar.end());
}
