import { styleText } from 'node:util'

const colored = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === ''

/** Prints what happens as it happens, and keeps count of what did not happen as told. */
export class Stage {
  readonly #startedMs = performance.now()
  #failures = 0

  get failures(): number {
    return this.#failures
  }

  get seconds(): number {
    return Math.round(performance.now() - this.#startedMs) / 1000
  }

  title(text: string): void {
    console.log(`\n${paint('bold', text)}`)
  }

  say(text: string): void {
    console.log(paint('dim', `  ${text}`))
  }

  /** A line of another process. */
  heard(who: string, line: string): void {
    if (line.trim() !== '') console.log(paint('dim', `    ${who} | ${line}`))
  }

  /** Show a piece of code and what it gives, and check that. */
  async show<Value>(
    code: string,
    run: () => Value,
    expected: (value: Awaited<Value>) => boolean,
  ): Promise<Awaited<Value>> {
    console.log(`  ${paint('cyan', `> ${code}`)}`)
    const value = await run()
    console.log(`  ${shown(value)}`)
    this.check(code, expected(value))
    return value
  }

  /** Show a piece of code that throws, and check what. */
  async showError(
    code: string,
    run: () => Promise<unknown>,
    expected: (error: Error) => boolean,
  ): Promise<Error> {
    console.log(`  ${paint('cyan', `> ${code}`)}`)
    const error = await thrownBy(run)
    console.log(`  ${paint('yellow', `${error.name}: ${error.message.split('\n')[0] ?? ''}`)}`)
    this.check(code, expected(error))
    return error
  }

  check(what: string, holds: boolean): void {
    if (holds) return
    this.#failures += 1
    console.log(paint('red', `  NOT AS EXPECTED: ${what}`))
  }
}

async function thrownBy(run: () => Promise<unknown>): Promise<Error> {
  try {
    return new Error(`nothing was thrown, but returned: ${shown(await run())}`)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')
}

function paint(look: 'bold' | 'dim' | 'cyan' | 'yellow' | 'red', text: string): string {
  return colored ? styleText(look, text) : text
}
