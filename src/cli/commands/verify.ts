import { type Difference, verify } from '../../maintenance/audit/verify.ts';
import type { CliEnvironment } from '../environment.ts';
import { EXIT, type Outcome } from '../outcome.ts';
import { ProgressBar } from '../progressBar.ts';

/** More differences than help are counted, not shown. */
const SHOWN_MAX = 20;

/** `verify` */
export async function runVerify(
  { log, database }: CliEnvironment,
  options: { waitSeconds: number },
): Promise<Outcome> {
  const bar = new ProgressBar('verify', 'events');
  const waitMsMax = options.waitSeconds * 1_000;
  const result = await verify({
    log,
    feed: log,
    pool: database.pool,
    waitMsMax,
    onWaiting: ({ checkpoint, lastSeq }) => bar.update(checkpoint / lastSeq, checkpoint),
    onProgress: ({ read, total }) => bar.update(read / total, read),
  }).finally(() => bar.end());
  const { messages, conversations, checkpoint, version, differences, parked } = result;
  const more = differences.length > SHOWN_MAX ? [`  … and ${differences.length - SHOWN_MAX} more`] : [];
  const aside =
    parked.length === 0 ? [] : [`${parked.length} conversations wait aside and were not compared`];
  const summary =
    `${messages} messages in ${conversations} conversations, ${differences.length} differences ` +
    `(log against history version ${version}, up to event ${checkpoint})`;
  const text = [summary, ...differences.slice(0, SHOWN_MAX).map(line), ...more, ...aside].join('\n');
  const isWell = differences.length === 0 && parked.length === 0;
  return { text, json: result, exitCode: isWell ? EXIT.ok : EXIT.checkFailed };
}

function line({ conversationId, inLog, inReadModel }: Difference): string {
  const say = (digest: typeof inLog) =>
    digest === null ? 'absent' : `${digest.messages} messages ${digest.hash}`;
  return `  ${conversationId}  log: ${say(inLog)}  read model: ${say(inReadModel)}`;
}
