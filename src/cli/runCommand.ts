import type { Command } from 'commander';
import type { Config } from '../platform/config/config.ts';
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

export interface Options {
  readonly json?: boolean;
}

/** A command's `--json`, and its help on errors; commander hands the settings of a program to its commands. */
export function command(parent: Command, name: string, description: string): Command {
  return parent.command(name).description(description).option('--json', 'print JSON for programs');
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
export async function run(
  deps: CliDeps,
  options: Options,
  work: (environment: CliEnvironment, config: Config) => Promise<Outcome>,
): Promise<void> {
  return answer(deps, options, withEnvironment(deps, work));
}

/** Prints what a command came to, and ends with its exit code. */
export async function answer(
  deps: CliDeps,
  { json = false }: Options,
  work: Promise<Outcome>,
): Promise<void> {
  const outcome = await work;
  await deps.print(json ? printableJson(outcome.json) : printableLines(outcome.text));
  deps.exit(outcome.exitCode);
}

/** A command that prints as it goes. */
export async function stream(
  deps: CliDeps,
  work: (environment: CliEnvironment, config: Config) => Promise<number>,
): Promise<void> {
  deps.exit(await withEnvironment(deps, work));
}
