import type { Lovage } from '../app/app.js'
import { iniPath } from './arguments.js'
import { printableLines } from '../util/printable.js'
import { painter, type CommandIo, type CommandOutput, type Paint } from './io.js'
import type { AppRequest, LoadedApp } from './loader/load-app.js'
import { UsageError } from './usage-error.js'
import { EXIT, type ExitCode } from './exit-code.js'

/** Options that stand before or after the name of every command. */
export interface GlobalFlags {
  readonly app?: string
  readonly broker?: string
  readonly resultBackend?: string
  readonly config?: string
  readonly ini?: string
  readonly workdir?: string
  /** Celery's; see {@link CommandContext.openApp}. */
  readonly loader?: string
  /** `false` with `-C`; commander's form of `--no-color`. */
  readonly color: boolean
  readonly quiet?: boolean
}

/** How a command line was started. */
export interface Start {
  readonly argv: readonly string[]
  /** The folder before `--workdir`. */
  readonly cwd: string
  /** The app of the program that started it, in place of one that is found. */
  readonly app?: Lovage | undefined
}

/** What one run of the command line shares: streams, global options, the app that it opens at most once. */
export class CommandContext implements AsyncDisposable {
  readonly io: CommandIo
  /** What the command ends with, unless it throws. */
  exitCode: ExitCode = EXIT.done
  readonly #iniFile: string | undefined
  /** The words and folder of the command line, to start another process like this one. */
  readonly start: Start
  readonly #flags: () => GlobalFlags
  #loaded: LoadedApp | undefined

  /** @param iniFile - The one that stood beside the command's name. */
  constructor(io: CommandIo, start: Start, iniFile: string | undefined, flags: () => GlobalFlags) {
    this.io = io
    this.start = start
    this.#iniFile = iniFile
    this.#flags = flags
  }

  /** The global options as typed. */
  get flags(): GlobalFlags {
    return this.#flags()
  }

  /** Whether results are all that is to be printed. */
  get quiet(): boolean {
    return this.flags.quiet === true
  }

  /** How to paint on a stream. */
  paint(output: CommandOutput): Paint {
    return painter(output, this.io, this.flags.color)
  }

  /** Whether a person looks at standard output in colours. */
  get colors(): boolean {
    return this.paint(this.io.stdout)('bold', 'x') !== 'x'
  }

  /** Print text on standard output, escaped where it would command a terminal. */
  print(text: string): void {
    this.io.stdout.write(`${printableLines(text)}\n`)
  }

  /** The same on standard error, for people; nothing with `--quiet`. */
  note(text: string): void {
    if (!this.quiet) this.io.stderr.write(`${printableLines(text)}\n`)
  }

  /**
   * The app that the command line names, configured; closed when the command ends.
   *
   * @param settings - Settings that this command's own options set, on top of everything.
   */
  async openApp(settings: Readonly<Record<string, unknown>> = {}): Promise<Lovage> {
    if (this.#loaded !== undefined) return this.#loaded.app
    refuseLoader(this.flags.loader)
    const { loadApp } = await import('./loader/load-app.js')
    this.#loaded = await loadApp(this.#request(settings))
    for (const warning of this.#loaded.warnings) this.note(`Warning: ${warning}`)
    return this.#loaded.app
  }

  /** Where the app was found, as the user knows it; `undefined` for the default app. */
  get place(): string | undefined {
    return this.#loaded?.place
  }

  /** Close the app. Idempotent. */
  async close(): Promise<void> {
    const loaded = this.#loaded
    this.#loaded = undefined
    await loaded?.app.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** The file of the app, which is not loaded for that; `undefined` for the default app. */
  async appFile(): Promise<string | undefined> {
    const { appFile } = await import('./loader/load-app.js')
    return appFile(this.#request({}))
  }

  #request(settings: Readonly<Record<string, unknown>>): AppRequest {
    const { app, broker, resultBackend, config, ini } = this.flags
    const { env, cwd } = this.io
    const iniFile = this.#iniFile ?? ini
    return {
      app: this.start.app,
      spec: app ?? nonEmpty(env['LOVAGE_APP']),
      iniFile: iniFile === undefined ? undefined : iniPath(iniFile, cwd),
      configModule: config,
      cwd,
      settings: {
        ...(broker === undefined ? {} : { broker }),
        ...(resultBackend === undefined ? {} : { backend: resultBackend }),
        ...settings,
      },
    }
  }
}

/** Celery's own loaders find settings as the command line does; a class of Python's cannot run here. */
function refuseLoader(name: string | undefined): void {
  if (name === undefined || name === 'app' || name === 'default') return
  throw new UsageError(
    `--loader must be app or default; a loader of your own (${name}) is a settings module: --config`,
  )
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
