import { readFileSync } from 'node:fs';
import { Argument, Command, Option } from 'commander';
import { projectRootUrl } from '../platform/embedded/projectRootUrl.ts';
import { runEraseMessage, runEraseUser } from './commands/erase.ts';
import { runEventShow, tailEvents } from './commands/events.ts';
import { type ImportOptions, runImport, runImportCheck } from './commands/import.ts';
import { runLag, watchLag } from './commands/lag.ts';
import { runLogRepair } from './commands/log.ts';
import { runParkedList, runParkedRetry, runParkedShow } from './commands/parked.ts';
import { READ_MODELS, runInfo, runList, runPause, runRebuild, runResume } from './commands/projections.ts';
import { runVerify } from './commands/verify.ts';
import { conversationId, list, messageId, reason, seconds, userId, wholeNumber } from './optionParsers.ts';
import { printableLines } from './printable.ts';
import { answer, type CliDeps, command, type Options, run, stream } from './runCommand.ts';

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
  addErase(program, deps);
  return program;
}

interface ImportFlags extends Options, ImportOptions {
  readonly dryRun?: boolean;
}

function addImport(program: Command, deps: CliDeps): void {
  const about =
    'import chat from JSON lines in UTF-8; importing again adds only what is missing. A line: ' +
    '{"room":"general","at":"2026-01-31T12:00:00Z","user":"alice","text":"hello"}';
  command(program, 'import', about)
    .argument('<file>', 'the file, compressed when it ends in .gz')
    .addOption(
      new Option('--on-error <what>', 'lines that cannot be imported: stop before anything is, or skip them')
        .choices(['stop', 'skip'])
        .default('stop'),
    )
    .option('--report <file>', 'where such lines go, with the fault of each (default: FILE.rejected.jsonl)')
    .option('--split-long', 'make several messages of a text that is too long for one')
    .option('--clean-names', 'take format characters out of names: bidi controls, joiners')
    .option('--sort', 'import the oldest first, whatever the order of the file')
    .option('--dry-run', 'read the whole file and list its faults; nothing is imported, nothing has to run')
    .action((file: string, options: ImportFlags) => {
      if (options.dryRun === true) return answer(deps, options, runImportCheck(file, options));
      return run(deps, options, ({ application }) => runImport(application, file, options));
    });
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

interface EraseFlags extends Options {
  readonly user?: string;
  readonly message?: string;
  readonly conversation?: string;
  readonly reason?: string;
  readonly yes?: boolean;
}

function addErase(program: Command, deps: CliDeps): void {
  const about =
    'take what was said out of the log, for good: one message, or all that a user said; without --yes it says what it would erase';
  const erase = command(program, 'erase', about)
    .option('--message <id>', 'this message', messageId)
    .option('--conversation <id>', 'with --message: where it is; saves a search of the log', conversationId)
    .option('--user <id>', 'every message of this user', userId)
    .option('--reason <text>', 'for the audit log', reason)
    .option('--yes', 'do it: it cannot be undone');
  erase.action(({ user, message, conversation, reason: why, yes = false, ...options }: EraseFlags) => {
    if ((user === undefined) === (message === undefined)) erase.error('error: name a --message or a --user');
    if (user !== undefined && conversation !== undefined)
      erase.error('error: --conversation goes with --message');
    const choice = { yes, reason: why ?? null };
    return run(deps, options, (environment, config) =>
      message === undefined
        ? runEraseUser(environment, config, user ?? '', choice)
        : runEraseMessage(environment, config, { messageId: message, conversationId: conversation }, choice),
    );
  });
}
