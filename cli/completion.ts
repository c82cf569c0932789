import { Argument, type Command, type Option } from 'commander'
import { bash, fish, type Suggestion, zsh } from './completion-scripts.ts'

const shells = { bash, zsh, fish }

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>', 'the shell that reads it').choices(Object.keys(shells)))
    .action((shell: keyof typeof shells) => {
      process.stdout.write(shells[shell](suggestionsFor(program)))
    })
}

/**
 * What can be typed at each place. A place is a command with what follows it: the number of an argument, `rest`, an option
 * whose value it is, or `-` for options.
 */
function suggestionsFor(command: Command, path = command.name()): Map<string, Suggestion[]> {
  const help = command.createHelp()
  help.showGlobalOptions = true
  const commands = help.visibleCommands(command)
  const options = [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)]
  const places = new Map<string, Suggestion[]>()
  places.set(`${path} -`, options.map(suggestOption))
  if (commands.length > 0) {
    places.set(
      `${path} 0`,
      commands.map((sub) => ({ value: sub.name(), description: sub.description() }))
    )
  }
  for (const [index, argument] of command.registeredArguments.entries()) {
    const place = argument.variadic ? 'rest' : String(index)
    places.set(`${path} ${place}`, suggestValues(argument.argChoices, argument.name()))
  }
  for (const { required, optional, short, long, argChoices, flags } of options) {
    if (!required && !optional) continue
    for (const name of [short, long]) if (name) places.set(`${path} ${name}`, suggestValues(argChoices, flags))
  }
  for (const sub of commands) {
    for (const [place, suggestions] of suggestionsFor(sub, `${path} ${sub.name()}`)) places.set(place, suggestions)
  }
  return places
}

const suggestOption = ({ long, short, description }: Option): Suggestion => ({
  value: long ?? short ?? '',
  description
})

const suggestValues = (choices: string[] | undefined, name: string): Suggestion[] =>
  choices?.map((value) => ({ value, description: '' })) ?? (/\bfile\b/.test(name) ? [file] : [])

/** The scripts put the names of files in its place. */
const file: Suggestion = { value: '@file', description: '' }
