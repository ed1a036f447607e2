import { afterAll, beforeAll, describe, it } from '@jest/globals'
import { InteropStage, type InteropPair, type PythonWorkerOptions } from './stage.js'

/** The pairs of broker and backend that the suite runs on, by their names in the docs. */
export type PairName =
  'Redis' | 'RabbitMQ with rpc' | 'RabbitMQ with Redis' | 'SQL' | 'MongoDB' | 'SQS with Redis'

/** One thing that both languages must agree on; a cell of the table in the docs. */
export interface InteropCase {
  /** The row of the table. */
  readonly feature: string
  /** Who calls: the column of the table. */
  readonly caller: 'Python' | 'Lovage'
  /** The test's name; the table's cell. */
  readonly title: string
  readonly run: (stage: InteropStage) => Promise<void>
  /** Where it cannot be shown, and why; the docs repeat it. */
  readonly notOn?: Partial<Readonly<Record<PairName, string>>>
  /** Holds for Celery 5.2 too. */
  readonly since52?: boolean
  /** Holds for Celery 5.2 alone. */
  readonly only52?: boolean
}

const LIMIT_MS = 40_000

/** Cases of one column of the table. */
export function calledBy(
  caller: InteropCase['caller'],
  cases: readonly Omit<InteropCase, 'caller'>[],
): readonly InteropCase[] {
  return cases.map((one) => ({ ...one, caller }))
}

/** The suite on one pair: one worker and one client of each language for all of its cases. */
export function describeInterop(
  pair: InteropPair & { readonly key: PairName; readonly pool?: PythonWorkerOptions['pool'] },
  cases: readonly InteropCase[],
): void {
  const { python, place } = pair
  if (python === undefined || place === undefined) {
    describe(pair.name, () => {
      it.skip('runs where its servers and its Celery are', () => undefined)
    })
    return
  }
  describe(pair.name, () => {
    let stage: InteropStage

    beforeAll(async () => {
      stage = await InteropStage.open(python, place)
      const pythonWorker = stage.pythonWorker({ pool: pair.pool ?? 'prefork', concurrency: 2 })
      await Promise.all([pythonWorker, stage.nodeWorker(), stage.python.run('return 1')])
    }, LIMIT_MS)

    afterAll(async () => {
      await stage?.[Symbol.asyncDispose]()
    }, LIMIT_MS)

    for (const { title, run, notOn } of cases) {
      if (notOn?.[pair.key] === undefined) it(title, () => run(stage), LIMIT_MS)
    }
  })
}
