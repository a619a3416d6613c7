import { readFileSync } from 'node:fs';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { isConversationId } from '../contracts/ids.ts';
import type { Config } from '../platform/config/config.ts';
import { projectRootUrl } from '../platform/embedded/projectRootUrl.ts';
import { runEventShow, tailEvents } from './commands/events.ts';
import { runImport } from './commands/import.ts';
import { runLag, watchLag } from './commands/lag.ts';
import { runLogRepair } from './commands/log.ts';
import { runParkedList, runParkedRetry, runParkedShow } from './commands/parked.ts';
import { READ_MODELS, runInfo, runList, runPause, runRebuild, runResume } from './commands/projections.ts';
import { runVerify } from './commands/verify.ts';
import type { CliEnvironment } from './environment.ts';
import type { Outcome } from './outcome.ts';
import { printableJson, printableLines } from './printable.ts';

/** What the command line stands on. */
export interface CliDeps {
  readonly loadConfig: () => Config;
  readonly openEnvironment: (config: Config) => Promise<CliEnvironment>;
  /** Prints a line on standard output. @returns what to wait for while the reader is slower */
  readonly print: (text: string) => Promise<void> | undefined;
  readonly exit: (code: number) => void;
}

interface Options {
  readonly json?: boolean;
}

/** All commands, with their arguments and help. What each does is in `commands/`. */
export function makeProgram(deps: CliDeps): Command {
  const { version } = JSON.parse(readFileSync(new URL('package.json', projectRootUrl()), 'utf8'));
  const program = new Command('chat-backend')
    .description(
      'Operate a running chat-backend. It is found through NATS_URL and DATABASE_URL, or run.json in CHAT_DATA_DIR.',
    )
    .version(version)
    .showHelpAfterError('(chat-backend --help shows what there is)')
    .configureOutput({ writeErr: (text) => void process.stderr.write(printableLines(text)) })
    .exitOverride();
  addImport(program, deps);
  addLag(program, deps);
  addVerify(program, deps);
  addProjections(program, deps);
  addParked(program, deps);
  addEvents(program, deps);
  addLog(program, deps);
  return program;
}

/** A command's `--json`, and its help on errors; commander hands the settings of a program to its commands. */
function command(parent: Command, name: string, description: string): Command {
  return parent.command(name).description(description).option('--json', 'print JSON for programs');
}

function addImport(program: Command, deps: CliDeps): void {
  const about =
    'import chat from JSON lines {"room","at","user","text","attachments"}; importing again adds only what is missing';
  command(program, 'import', about)
    .argument('<file>', 'the file, compressed when it ends in .gz')
    .action((file: string, options: Options) =>
      run(deps, options, (environment) => runImport(environment, file)),
    );
}

function addLag(program: Command, deps: CliDeps): void {
  command(program, 'lag', 'how far each read model is behind the log')
    .option('--watch', 'poll it, with rates, until interrupted')
    .option('--every <seconds>', 'with --watch: between two polls', seconds, 1)
    .option('--times <count>', 'with --watch: end after this many polls', wholeNumber)
    .action((options: Options & { watch?: boolean; every: number; times?: number }) => {
      const { every: everySeconds, times, json = false } = options;
      if (options.watch !== true)
        return run(deps, options, (environment, config) =>
          runLag(environment, config.projectionLagSecondsMax),
        );
      return stream(deps, (environment, config) =>
        watchLag(environment, config.projectionLagSecondsMax, {
          everySeconds,
          times,
          json,
          print: deps.print,
        }),
      );
    });
}

function addVerify(program: Command, deps: CliDeps): void {
  command(program, 'verify', 'compare log and history per conversation; exit code 1 when they differ')
    .option('--wait <seconds>', 'how long the history may take to reach the log’s end', seconds, 60)
    .action((options: Options & { wait: number }) =>
      run(deps, options, (environment) => runVerify(environment, { waitSeconds: options.wait })),
    );
}

function addProjections(program: Command, deps: CliDeps): void {
  const projections = program.command('projections').description('operate the read models');
  const name = () => new Argument('<name>', 'the read model').choices([...READ_MODELS]);
  command(projections, 'list', 'every read model, its state and how far it is').action((options: Options) =>
    run(deps, options, runList),
  );
  command(projections, 'info', 'one read model: versions, partition groups, workers, why it halted')
    .addArgument(name())
    .action((which: string, options: Options) =>
      run(deps, options, (environment, config) => runInfo(environment, config, which)),
    );
  command(projections, 'pause', 'let a read model rest; it falls behind until it is resumed')
    .addArgument(name())
    .action((which: string, options: Options) =>
      run(deps, options, (environment) => runPause(environment, which)),
    );
  command(projections, 'resume', 'let a paused read model go on, and a halted one try again')
    .addArgument(name())
    .action((which: string, options: Options) =>
      run(deps, options, (environment) => runResume(environment, which)),
    );
  addRebuild(projections, deps);
}

interface RebuildFlags extends Options {
  readonly from?: number;
  readonly dryRun?: boolean;
  readonly requireEqual?: boolean;
  readonly acceptLoss?: string;
  readonly maxRate?: number;
}

function addRebuild(projections: Command, deps: CliDeps): void {
  const about =
    'rebuild read models beside the live ones, compare, and switch at the end; interrupted, run it again to go on';
  command(projections, 'rebuild', about)
    .addArgument(new Argument('<name>', 'the read model').choices([...READ_MODELS, 'all']))
    .option(
      '--from <seq>',
      'begin with a copy of the live version and replay the log from this event on',
      wholeNumber,
    )
    .option('--dry-run', 'build and compare, and do not switch; exit code 1 when they differ')
    .option('--require-equal', 'do not switch when the new version differs from the live one')
    .option(
      '--accept-loss <what>',
      'rebuild without what only the history still holds; <what> names it, as the refusal does',
    )
    .option('--max-rate <events>', 'events per second, at most', wholeNumber)
    .action((which: string, options: RebuildFlags) => {
      const names = which === 'all' ? READ_MODELS : [which];
      const { from, dryRun = false, requireEqual = false, acceptLoss, maxRate: rateMax } = options;
      return run(deps, options, (environment, config) =>
        runRebuild(environment, config, names, { from, dryRun, requireEqual, acceptLoss, rateMax }),
      );
    });
}

function addParked(program: Command, deps: CliDeps): void {
  const parked = program
    .command('parked')
    .description('conversations of which an event could not be projected');
  const name = (text: string) => new Argument(text, 'the read model').choices([...READ_MODELS]);
  command(parked, 'list', 'all of them, or those of one read model')
    .addArgument(name('[name]'))
    .action((which: string | undefined, options: Options) =>
      run(deps, options, (environment) => runParkedList(environment, which)),
    );
  command(parked, 'show', 'one of them: the error, and the event it waits at')
    .addArgument(name('<name>'))
    .argument('<conversation>', 'its id', conversationId)
    .action((projection: string, conversation: string, options: Options) =>
      run(deps, options, (environment) =>
        runParkedShow(environment, { projection, conversationId: conversation }),
      ),
    );
  command(
    parked,
    'retry',
    'try again, in order, from the event it waits at; exit code 1 when some still wait',
  )
    .addArgument(name('[name]'))
    .argument('[conversation]', 'its id; absent: all of them', conversationId)
    .option('--wait <seconds>', 'how long to wait for the workers', seconds, 30)
    .action(
      (
        projection: string | undefined,
        conversation: string | undefined,
        options: Options & { wait: number },
      ) =>
        run(deps, options, (environment) =>
          runParkedRetry(environment, { projection, conversationId: conversation }, options.wait),
        ),
    );
}

function addLog(program: Command, deps: CliDeps): void {
  const log = program.command('log').description('repair the log');
  const about =
    'after the log has lost its tail: append what the history still knows of it, and rebuild all read models';
  command(log, 'repair', about)
    .option('--dry-run', 'say what would be appended, and do nothing; exit code 1 when something was lost')
    .action((options: Options & { dryRun?: boolean }) =>
      run(deps, options, (environment, config) =>
        runLogRepair(environment, config, { dryRun: options.dryRun ?? false }),
      ),
    );
}

interface TailFlags extends Options {
  readonly from?: number;
  readonly conversation?: string;
  readonly type: readonly string[];
  readonly user?: string;
  readonly limit?: number;
  readonly follow: boolean;
}

function addEvents(program: Command, deps: CliDeps): void {
  const events = program.command('events').description('read the log');
  command(events, 'tail', 'print events as they come, one on each line, beginning with the last few')
    .option('--from <seq>', 'begin with this event', wholeNumber)
    .option('--conversation <id>', 'only of this conversation', conversationId)
    .option('--type <types>', 'only of these types, separated by commas', list, [])
    .option('--user <id>', 'only by this user')
    .option('--limit <count>', 'end after this many events', wholeNumber)
    .option('--no-follow', 'end at the log’s end')
    .action((options: TailFlags) => {
      const {
        from,
        conversation: conversationIdOf,
        type: types,
        user: userId,
        limit,
        follow,
        json = false,
      } = options;
      const after = from === undefined ? undefined : Math.max(0, from - 1);
      const filter = { conversationId: conversationIdOf, types, userId };
      return stream(deps, (environment) =>
        tailEvents(environment, { after, ended: !follow, limit, ...filter, json, print: deps.print }),
      );
    });
  command(events, 'show', 'one event, whole')
    .argument('<seq>', 'its sequence', wholeNumber)
    .action((seq: number, options: Options) =>
      run(deps, options, (environment) => runEventShow(environment, seq)),
    );
}

/** Opens the running system for one command and closes it, whatever happens. */
async function withEnvironment<T>(
  deps: CliDeps,
  work: (environment: CliEnvironment, config: Config) => Promise<T>,
): Promise<T> {
  const config = deps.loadConfig();
  const environment = await deps.openEnvironment(config);
  try {
    return await work(environment, config);
  } finally {
    await environment.close();
  }
}

/** A command that answers once. */
async function run(
  deps: CliDeps,
  { json = false }: Options,
  work: (environment: CliEnvironment, config: Config) => Promise<Outcome>,
): Promise<void> {
  const outcome = await withEnvironment(deps, work);
  await deps.print(json ? printableJson(outcome.json) : printableLines(outcome.text));
  deps.exit(outcome.exitCode);
}

/** A command that prints as it goes. */
async function stream(
  deps: CliDeps,
  work: (environment: CliEnvironment, config: Config) => Promise<number>,
): Promise<void> {
  deps.exit(await withEnvironment(deps, work));
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || value > 86_400) {
    throw new InvalidArgumentError('must be a number of seconds from 0 to 86400');
  }
  return value;
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('must be a whole number from 1 on');
  return Number(text);
}

function conversationId(text: string): string {
  if (!isConversationId(text))
    throw new InvalidArgumentError('must be a conversation id, c_ and 21 characters');
  return text;
}

function list(text: string): string[] {
  return text.split(',').filter((item) => item !== '');
}
