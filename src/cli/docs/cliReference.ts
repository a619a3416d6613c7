import type { Command } from 'commander';
import { makeProgram } from '../program.ts';

/** The commands as docs/cli.md shows them: what `--help` says of each, word for word. */
export function cliReference(): string {
  const nothing = () => {
    throw new Error('The reference only reads what the commands say of themselves');
  };
  const program = makeProgram({
    loadConfig: nothing,
    openEnvironment: nothing,
    print: nothing,
    exit: nothing,
  });
  return leaves(program).map(section).join('\n');
}

/** Commands that do something, in the order of the help. */
function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

function section(command: Command): string {
  command.configureHelp({ helpWidth: 100 });
  return `### ${pathOf(command)}\n\n\`\`\`text\n${command.helpInformation().trimEnd()}\n\`\`\`\n`;
}

function pathOf(command: Command): string {
  const parent = command.parent;
  return parent?.parent ? `${pathOf(parent)} ${command.name()}` : command.name();
}
