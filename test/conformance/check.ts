import assert from 'node:assert/strict'

/** What a suite needs of a test runner: Jest's, Vitest's and `node:test`'s own functions fit. */
export interface Runner {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: (name: string, body: () => Promise<void>, timeoutMs?: number) => unknown
}

/** One promise of a contract, as a test. */
export interface Check<Stage, Part extends string> {
  /** A sentence; exceptions are listed by it. */
  readonly name: string
  /** Runs only where the subject offers this part, or all of these. */
  readonly needs?: Part | readonly Part[]
  /** Runs only where the subject does not offer this part. */
  readonly lacks?: Part
  readonly run: (stage: Stage) => Promise<void>
}

/** What to register. */
export interface Suite<Stage, Part extends string> {
  readonly title: string
  readonly checks: readonly Check<Stage, Part>[]
  readonly offers: readonly Part[]
  readonly exceptions: Readonly<Record<string, string>>
  readonly runner: Runner | undefined
  /** Prepares one test, and cleans up after it. */
  readonly onStage: (run: (stage: Stage) => Promise<void>) => Promise<void>
}

const TIMEOUT_MS = 30_000

/** Register a test for each check that applies, and one that fails for an exception that names no check. */
export function registerSuite<Stage, Part extends string>(suite: Suite<Stage, Part>): void {
  const { describe, it } = suite.runner ?? globalRunner()
  const offers = new Set<string>(suite.offers)
  const applying = suite.checks.filter(
    ({ needs, lacks }) =>
      listOf(needs).every((part) => offers.has(part)) && !listOf(lacks).some((part) => offers.has(part)),
  )
  describe(suite.title, () => {
    for (const check of applying) {
      if (Object.hasOwn(suite.exceptions, check.name)) continue
      it(check.name, () => suite.onStage(check.run), TIMEOUT_MS)
    }

    it('lists exceptions only by names that are tests, each with a reason', async () => {
      const names = applying.map((check) => check.name)
      const unknown = Object.keys(suite.exceptions).filter((name) => !names.includes(name))
      assert.deepEqual(unknown, [], 'no such test')
      assert.ok(Object.values(suite.exceptions).every((reason) => reason.length > 0))
      assert.equal(new Set(names).size, names.length, 'two tests have one name')
    })
  })
}

function listOf(parts: string | readonly string[] | undefined): readonly string[] {
  if (parts === undefined) return []
  return typeof parts === 'string' ? [parts] : parts
}

/** The functions most runners put on the global object. */
function globalRunner(): Runner {
  const { describe, it }: { describe?: unknown; it?: unknown } = globalThis as object
  assert.ok(
    isDescribe(describe) && isIt(it),
    'hand over `runner`: this test runner has no global describe and it',
  )
  return { describe, it }
}

function isDescribe(value: unknown): value is Runner['describe'] {
  return typeof value === 'function'
}

function isIt(value: unknown): value is Runner['it'] {
  return typeof value === 'function'
}
