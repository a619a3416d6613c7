import { existsSync, realpathSync } from 'node:fs';
import { type LogRepair, repairLog } from '../../maintenance/repair/logRepair.ts';
import type { Config } from '../../platform/config/config.ts';
import { storeFolder } from '../../platform/embedded/natsServer.ts';
import { readRunFile } from '../../platform/embedded/runFile.ts';
import { flushTree } from '../../platform/files/durableFile.ts';
import type { CliEnvironment } from '../environment.ts';
import { EXIT, type Outcome, ok } from '../outcome.ts';
import { printable } from '../printable.ts';
import { ProgressBar } from '../progressBar.ts';
import { READ_MODELS, runRebuild } from './projections.ts';

/** More than help are counted, not shown. */
const SHOWN_MAX = 20;

/** `log repair` */
export async function runLogRepair(
  environment: CliEnvironment,
  config: Config,
  { dryRun }: { dryRun: boolean },
): Promise<Outcome> {
  const { application, database } = environment;
  const bar = new ProgressBar('log repair', 'events and conversations');
  const repair = await repairLog({
    application,
    pool: database.pool,
    dryRun,
    onProgress: ({ done, total }) => bar.update(done / Math.max(1, total), done),
  }).finally(() => bar.end());
  if (!repair.regressed) {
    return ok('The log has everything that the history was built from: nothing was lost', repair);
  }
  if (dryRun) return { text: say(repair, 'would be'), json: repair, exitCode: EXIT.checkFailed };
  // What was brought back is on disk before anything is built on it: another power cut takes nothing of it.
  const flushed = await flushEmbeddedLog(config.dataDir);
  const choice = { dryRun: false, requireEqual: false, acceptLoss: true } as const;
  const rebuilt = await runRebuild(environment, config, READ_MODELS, choice);
  const safe = flushed
    ? ''
    : 'nats-server is not ours to flush: what came back is on disk after its sync_interval\n';
  const text = `${say(repair, 'were')}\n${safe}${rebuilt.text}\nNow compare: chat-backend verify`;
  return ok(text, { ...repair, flushed, rebuilt: rebuilt.json });
}

/** @returns false when the nats-server was not started by us: its files are nobody's business here */
async function flushEmbeddedLog(dataDir: string): Promise<boolean> {
  if (!existsSync(dataDir) || readRunFile(dataDir)?.nats?.pid == null) return false;
  await flushTree(storeFolder(realpathSync(dataDir)));
  return true;
}

function say({ conversations, events, erased, left }: LogRepair, verb: string): string {
  const counts = Object.entries(events).map(([type, count]) => `  ${count} ${type}`);
  const total = Object.values(events).reduce((sum, count) => sum + count, 0);
  const lines = [
    `The log has lost its tail. ${total} events in ${conversations} conversations ${verb} appended`,
  ];
  if (erased > 0) lines.push(`  ${erased} messages that were erased had come back and ${verb} erased again`);
  const shown = left
    .slice(0, SHOWN_MAX)
    .map(({ conversationId, what }) => `  ${conversationId}  ${printable(what)}`);
  if (left.length > 0) lines.push(`${left.length} things are left as they are now:`, ...shown);
  if (left.length > SHOWN_MAX) lines.push(`  … and ${left.length - SHOWN_MAX} more: --json shows them`);
  return [lines[0], ...counts, ...lines.slice(1)].join('\n');
}
