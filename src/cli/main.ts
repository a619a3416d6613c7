import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../platform/config.ts';
import { projectRootUrl } from '../platform/projectRootUrl.ts';
import { type Outcome, runImport, runLag, runRebuild, runVerify, withEnvironment } from './commands.ts';

/** The `chat-backend` command: what an operator does to a running system. */
const { version } = JSON.parse(readFileSync(new URL('package.json', projectRootUrl()), 'utf8'));

const program = new Command('chat-backend')
  .description(
    'Operate a running chat-backend. It is found through NATS_URL and DATABASE_URL, or run.json in CHAT_DATA_DIR.',
  )
  .version(version)
  .showHelpAfterError('(chat-backend --help shows what there is)');

program
  .command('import')
  .description(
    'import chat from JSON lines {"room","at","user","text"}; importing again adds only what is missing',
  )
  .argument('<file>', 'the file, compressed when it ends in .gz')
  .action((file: string) =>
    run((config) => withEnvironment(config, (environment) => runImport(environment, file))),
  );

program
  .command('lag')
  .description('how far each read model is behind the log')
  .action(() => run((config) => withEnvironment(config, runLag)));

program
  .command('verify')
  .description('compare log and read model per conversation; exit code 1 when they differ')
  .option('--wait <seconds>', 'how long the read model may take to reach the log’s end', seconds, 60)
  .action((options: { wait: number }) =>
    run((config) =>
      withEnvironment(config, (environment) => runVerify(environment, { waitSeconds: options.wait })),
    ),
  );

program
  .command('projections')
  .description('look after the read models')
  .command('rebuild')
  .description('build a read model anew from the log, beside the live one, and switch to it at the end')
  .argument('<name>', 'the read model: history', readModelName)
  .action(() => run((config) => withEnvironment(config, (environment) => runRebuild(environment, config))));

await program.parseAsync();

async function run(work: (config: ReturnType<typeof loadConfig>) => Promise<Outcome>): Promise<void> {
  try {
    const { output, exitCode } = await work(loadConfig(process.env));
    console.log(output);
    process.exitCode = exitCode;
  } catch (error) {
    console.error(`chat-backend: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || value > 86_400) {
    throw new InvalidArgumentError('must be a number of seconds from 0 to 86400');
  }
  return value;
}

function readModelName(text: string): string {
  if (text !== 'history') throw new InvalidArgumentError('there is one read model: history');
  return text;
}
