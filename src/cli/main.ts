import { CommanderError } from 'commander';
import { ChatError } from '../contracts/errors.ts';
import { StreamMissingError } from '../eventlog/jetstream/streamDefinition.ts';
import { ConfigError, loadConfig } from '../platform/config/config.ts';
import { NotRunningError, openEnvironment } from './environment.ts';
import { EXIT, NotFoundError } from './outcome.ts';
import { printable, printableLines } from './printable.ts';
import { makeProgram } from './program.ts';

/** The `chat-backend` command: what an operator does to a running system. */
const program = makeProgram({
  loadConfig: () => loadConfig(process.env),
  openEnvironment,
  print: (text) => {
    // The reader may be slower than what is printed.
    if (process.stdout.write(`${text}\n`)) return undefined;
    return new Promise((resolve) => process.stdout.once('drain', resolve));
  },
  exit: (code) => {
    process.exitCode = code;
  },
});

// The reader of a long answer may have had enough of it: `| head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
  // Commander has said what is wrong, or has shown the help.
  if (!(error instanceof CommanderError)) {
    console.error(printableLines(`chat-backend: ${explanation(error)}`));
  }
}

/** What is wrong, and with which fields. */
function explanation(error: unknown): string {
  if (!(error instanceof ChatError)) return error instanceof Error ? error.message : String(error);
  const fields = error.errors.map(({ path, reason }) => printable(`  ${path}: ${reason}`));
  return [error.message, ...fields].join('\n');
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof ConfigError) return EXIT.usage;
  const isMissing = error instanceof NotRunningError || error instanceof StreamMissingError;
  if (isMissing || error instanceof NotFoundError) return EXIT.notFound;
  return EXIT.failed;
}
