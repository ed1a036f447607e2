/** The command line as a function: the entry `lovage/cli`. */
export { runCommand } from './main.js'
export type { CommandIo, CommandOutput } from './io.js'
