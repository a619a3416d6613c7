import type { CliEnvironment } from '../environment.ts';
import { importChat } from '../importChat.ts';
import { readImportLines } from '../importLines.ts';
import { type Outcome, ok } from '../outcome.ts';
import { ProgressBar } from '../progressBar.ts';

/** `import FILE` */
export async function runImport({ application }: CliEnvironment, file: string): Promise<Outcome> {
  const bar = new ProgressBar('import', 'messages');
  const startedAtMs = Date.now();
  const result = await importChat(application, readImportLines(file), (fraction, count) =>
    bar.update(fraction, count),
  ).finally(() => bar.end());
  const seconds = (Date.now() - startedAtMs) / 1_000;
  const messagesPerSecond = Math.round(result.messages / Math.max(0.001, seconds));
  const { messages, alreadyThere, conversations } = result;
  const text =
    `${messages} messages in ${conversations} conversations, ${alreadyThere} of them there already; ` +
    `${seconds.toFixed(1)} s, ${messagesPerSecond} messages/s`;
  return ok(text, { messages, conversations, alreadyThere, seconds, messagesPerSecond });
}
