import type { Command } from 'commander'
import { createProgram } from '../cli/program.ts'

/** Every command with its arguments and options, as Markdown: what `--help` says. */
export function commandReference(): string {
  const program = createProgram({})
  const help = program.createHelp()
  const everywhere = help
    .visibleOptions(program)
    .map((option) => `- \`${help.optionTerm(option)}\`: ${help.optionDescription(option)}`)
  return ['Every command takes:', '', ...everywhere, '', 'The commands:', '', ...describe(program)].join('\n') + '\n'
}

function describe(command: Command): string[] {
  const help = command.createHelp()
  const commands = help.visibleCommands(command).filter((sub) => sub.name() !== 'help')
  if (commands.length > 0) return commands.flatMap(describe)
  const details = [
    ...help.visibleArguments(command).map((argument) => [argument.name(), help.argumentDescription(argument)]),
    ...help.visibleOptions(command).map((option) => [help.optionTerm(option), help.optionDescription(option)])
  ]
  return [
    `- \`${help.commandUsage(command)}\`: ${command.description()}`,
    ...details.filter(([term]) => term !== '-h, --help').map(([term = '', text = '']) => `  - \`${term}\`: ${text}`)
  ]
}
