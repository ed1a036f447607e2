/** One command as the list of commands shows it. */
export interface CommandSummary {
  /** What may stand behind its name. */
  readonly usage: string
  readonly description: string
}

/** The name of a command that exists. */
export type CommandName =
  'worker' | 'beat' | 'call' | 'result' | 'shell' | 'purge' | 'migrate' | 'dlq' | 'report'

/** What the list of commands says, without loading any of them: that is most of the time that a command takes. */
export const COMMAND_SUMMARIES: Readonly<Record<CommandName, CommandSummary>> = {
  worker: { usage: '[options]', description: 'run tasks until SIGTERM or Ctrl-C' },
  beat: {
    usage: '[options] [command]',
    description: 'send periodic tasks until SIGTERM or Ctrl-C; look at them, change them',
  },
  call: { usage: '[options] <name>', description: 'send a task and print its id' },
  result: { usage: '[options] <id>', description: 'print the result of a task, waiting for its end' },
  shell: {
    usage: '[options]',
    description: 'interactive JavaScript with `app` and every task by the last part of its name',
  },
  purge: {
    usage: '[options]',
    description: 'drop every waiting message, delayed ones included; there is no undo',
  },
  migrate: {
    usage: '[options]',
    description: 'make or extend the tables of a SQL broker and result backend; a second run does nothing',
  },
  dlq: {
    usage: '[options] [command]',
    description: 'dead letters: messages set aside because they cannot run',
  },
  report: {
    usage: '[options]',
    description: 'print versions and settings for a bug report, passwords masked',
  },
}
