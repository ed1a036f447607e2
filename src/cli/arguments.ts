import { resolve } from 'node:path'

/** Names that other programs have for our commands, so that their command lines work with the program renamed. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['celeryd', 'worker'],
  ['pceleryd', 'worker'],
  ['celerybeat', 'beat'],
  ['pcelerybeat', 'beat'],
  ['pshell', 'shell'],
  ['migrate-db', 'migrate'],
])

/** Umbrella programs whose name may stand before a command and says nothing. */
const UMBRELLAS: ReadonlySet<string> = new Set(['celery', 'pcelery', 'lovage'])

/** A command line in the form the parser reads. */
export interface NormalArguments {
  readonly argv: readonly string[]
  /** The ini file that stood before or right after the command's name, as typed. */
  readonly iniFile: string | undefined
}

/**
 * Replace old command names and take out the ini file that may be the first argument of every command.
 *
 * `lovage worker ./development.ini -l info` and `lovage ./development.ini worker -l info` are the same.
 *
 * @param argv - Without the interpreter and the script.
 * @param commands - The names of the commands that exist.
 */
export function normalArguments(argv: readonly string[], commands: ReadonlySet<string>): NormalArguments {
  const rest = [...argv]
  if (rest[0] !== undefined && UMBRELLAS.has(rest[0])) rest.shift()
  const leading = takeIni(rest, 0)
  const at = commandIndex(rest, commands)
  if (at < 0) return { argv: rest, iniFile: leading }
  rest[at] = commandName(rest[at] ?? '')
  return { argv: rest, iniFile: leading ?? takeIni(rest, at + 1) }
}

/** The name of the command of a command line; `undefined` when it has none. */
export function commandOf(argv: readonly string[], commands: ReadonlySet<string>): string | undefined {
  const word = argv[commandIndex(argv, commands)]
  return word === undefined ? undefined : commandName(word)
}

/** The command that a name stands for: itself, unless it is one of the old names. */
export function commandName(name: string): string {
  return ALIASES.get(name) ?? name
}

/** The old name that a program was started under (a link called `celeryd`), as arguments to put in front. */
export function argumentsOfProgram(script: string | undefined): readonly string[] {
  const name = script === undefined ? '' : (script.split(/[\\/]/).pop() ?? '').replace(/\.[cm]?js$/, '')
  return ALIASES.has(name) ? [name] : []
}

/** Whether a word names an ini file, with an optional `#section`. */
export function isIniFile(word: string): boolean {
  return /\.ini(#[\w:.-]+)?$/i.test(word) && !word.startsWith('-')
}

/** The absolute path of an ini file, its `#section` kept. */
export function iniPath(word: string, cwd: string): string {
  const [file = '', section] = word.split('#')
  const path = resolve(cwd, file)
  return section === undefined ? path : `${path}#${section}`
}

function commandIndex(argv: readonly string[], commands: ReadonlySet<string>): number {
  const end = argv.indexOf('--')
  const words = end < 0 ? argv : argv.slice(0, end)
  // The word after an option may be its value: a value that is spelled like a command is the rarer reading.
  return words.findIndex((word, index) => {
    if (!ALIASES.has(word) && !commands.has(word)) return false
    return !VALUE_OPTIONS.has(words[index - 1] ?? '')
  })
}

/** Options before the command's name that take a value. */
const VALUE_OPTIONS: ReadonlySet<string> = new Set([
  '-A',
  '--app',
  '-b',
  '--broker',
  '--result-backend',
  '--config',
  '--ini',
  '--workdir',
  '--loader',
])

function takeIni(words: string[], index: number): string | undefined {
  const word = words[index]
  if (word === undefined || !isIniFile(word)) return undefined
  words.splice(index, 1)
  return word
}

/** The value of a long option anywhere in a command line: `--name value` or `--name=value`. */
export function valueOf(argv: readonly string[], option: string): string | undefined {
  const at = argv.findIndex((word) => word === option || word.startsWith(`${option}=`))
  const word = argv[at]
  if (word === undefined) return undefined
  return word === option ? argv[at + 1] : word.slice(option.length + 1)
}
