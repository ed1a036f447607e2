import { writeFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { delimiter, dirname } from 'node:path'
import { Child, run } from './child.js'

/** What a reader does with one block of a page. */
type Step =
  | { readonly kind: 'file'; readonly name: string; readonly code: string }
  | { readonly kind: 'command'; readonly line: string; readonly shown: readonly string[] }
  | { readonly kind: 'log'; readonly shown: readonly string[] }

/** Where a page is typed. */
export interface Reader {
  /** An empty folder. */
  readonly folder: string
  /** Tarball that `npm install lovage` installs. */
  readonly tarball: string
  /** What the package.json says after `npm init`: npm 10 writes no type, npm 11 writes `commonjs`. */
  readonly type: 'commonjs' | 'module'
}

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

/**
 * Do what a page says, block by block: write its files, type its commands, and compare what they print.
 *
 * Ids, times and the host's name may differ from the page; an id that a command printed is the one that later
 * commands and the worker's log have. A worker runs beside the rest and gets Ctrl-C at the end.
 *
 * @returns The files and commands, in order.
 * @throws Error at the first command that fails or prints something else.
 */
export async function typePage(markdown: string, reader: Reader): Promise<readonly string[]> {
  const typist = new Typist(reader)
  const done: string[] = []
  try {
    for (const step of stepsOf(markdown)) {
      const name = await typist.take(step)
      if (name !== undefined) done.push(name)
    }
    await typist.endWorker()
  } finally {
    await typist.stop()
  }
  return done
}

class Typist {
  readonly #reader: Reader
  /** Ids of the page, and the ones that commands printed instead. */
  readonly #ids = new Map<string, string>()
  readonly #logged: string[] = []
  #worker: Child | undefined

  constructor(reader: Reader) {
    this.#reader = reader
  }

  async take(step: Step): Promise<string | undefined> {
    if (step.kind === 'log') {
      this.#logged.push(...step.shown)
      return undefined
    }
    if (step.kind === 'file') {
      await writeFile(`${this.#reader.folder}/${step.name}`, step.code)
      return step.name
    }
    return this.#type(step.line, step.shown)
  }

  /** The worker has logged what the page shows, and ends at Ctrl-C. */
  async endWorker(): Promise<void> {
    if (this.#worker === undefined) throw new Error('the page starts no worker')
    for (const line of this.#logged) await this.#worker.waitForLine(this.#pattern(messageOf(line)))
    this.#worker.kill('SIGINT')
    // The shell dies of the signal; the output ends when the worker has ended.
    const { stderr } = await this.#worker.exited
    if (!stderr.includes('Warm shutdown')) throw new Error(`the worker did not end warmly: ${stderr}`)
  }

  async stop(): Promise<void> {
    await this.#worker?.stop()
  }

  async #type(line: string, shown: readonly string[]): Promise<string | undefined> {
    const [command = '', comment = ''] = line.split(/\s+# /)
    if (comment.startsWith('on Node 20 only') && isBuiltin('node:sqlite')) return undefined
    const typed = this.#asTyped(command)
    if (command.endsWith(' worker')) {
      this.#logged.push(...shown)
      this.#worker = new Child('sh', ['-c', typed], { ...this.#options(), group: true })
      await this.#worker.waitForLine('ready')
    } else {
      const { code, stdout, stderr } = await run('sh', ['-c', typed], {
        ...this.#options(),
        timeoutMs: 180_000,
      })
      if (code !== 0) throw new Error(`${typed} ended with ${String(code)}: ${stdout}${stderr}`)
      if (shown.length > 0) this.#compare(typed, stdout.trimEnd().split('\n'), shown)
    }
    if (command === 'npm init -y')
      await run('npm', ['pkg', 'set', `type=${this.#reader.type}`], this.#options())
    return command
  }

  #asTyped(command: string): string {
    const known = command.replaceAll(ID, (id) => this.#ids.get(id) ?? id)
    return known.startsWith('npm install ')
      ? known.replace(' lovage', ` --prefer-offline --no-audit --no-fund ${this.#reader.tarball}`)
      : known
  }

  #options(): { readonly cwd: string; readonly env: Readonly<Record<string, string>> } {
    // The `npx` of the Node that runs this test finds that Node.
    const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`
    return { cwd: this.#reader.folder, env: { PATH: path } }
  }

  #compare(command: string, printed: readonly string[], shown: readonly string[]): void {
    const differs = shown.some((line, index) => {
      const ids = [...line.matchAll(ID)].map(([id]) => id)
      const found = new RegExp(`^${this.#pattern(line).source}$`).exec(printed[index] ?? '')
      const fresh = ids.filter((id) => !this.#ids.has(id))
      for (const [at, id] of fresh.entries()) this.#ids.set(id, found?.[at + 1] ?? id)
      return found === null
    })
    if (differs || printed.length !== shown.length)
      throw new Error(`${command} printed\n${printed.join('\n')}\nand the page says\n${shown.join('\n')}`)
  }

  /** What a line of the page stands for: an unknown id is any, a known one is the one that was printed. */
  #pattern(line: string): RegExp {
    const escaped = line.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
    const timeless = escaped.replaceAll(/\d+\\\.\d+s/g, String.raw`\d[\d.e-]*s`)
    const anywhere = timeless.replaceAll(/celery@\w+/g, String.raw`celery@\S+`)
    return new RegExp(anywhere.replaceAll(ID, (id) => this.#ids.get(id) ?? `(${ID.source})`))
  }
}

/** The text of a line of the log, without its time and level. */
function messageOf(line: string): string {
  return line.replace(/^\[[^\]]+\] [A-Z]+ +/, '')
}

/** The blocks of a page in order. A file is named in the last line of prose before its block. */
function stepsOf(markdown: string): readonly Step[] {
  const blocks = [...markdown.matchAll(/```(\w+)\n([\s\S]*?)```/g)]
  return blocks.flatMap(([, language = '', text = ''], index): readonly Step[] => {
    if (language === 'console') return consoleSteps(text)
    const before = markdown.slice(0, blocks[index]?.index)
    const name = before
      .match(/`([\w.-]+)`:/g)
      ?.at(-1)
      ?.slice(1, -2)
    if (name === undefined) throw new Error(`no file is named above ${text}`)
    return [{ kind: 'file', name, code: text }]
  })
}

function consoleSteps(text: string): readonly Step[] {
  const [log = '', ...commands] = text.trimEnd().split(/^\$ /m)
  const shown = log.trimEnd().split('\n')
  if (commands.length === 0) return [{ kind: 'log', shown }]
  return commands.map((command) => {
    const [line = '', ...lines] = command.trimEnd().split('\n')
    return { kind: 'command', line, shown: lines }
  })
}
