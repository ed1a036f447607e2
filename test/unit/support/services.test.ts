import { afterEach, describe, expect, it } from '@jest/globals'
import { randomName } from '../../support/temp.js'

interface Outcome {
  readonly environment: Readonly<Record<string, string>>
  readonly report: readonly { readonly name: string; readonly missing?: string; readonly origin?: string }[]
  stop(): Promise<void>
}

interface ServicesModule {
  startServices(wanted: readonly object[], options: object): Promise<Outcome>
}

interface ServerProcessModule {
  freePort(): Promise<number>
  answers(port: number): Promise<boolean>
  startProcess(file: string, args: readonly string[], options: object): Promise<{ stop(): Promise<void> }>
}

const support = new URL('../../../../test/support/', import.meta.url)
const { startServices } = (await import(new URL('services.mjs', support).href)) as ServicesModule
const processes = (await import(new URL('server-process.mjs', support).href)) as ServerProcessModule

const variable = `LOVAGE_TEST_${randomName().toUpperCase()}_URL`
const quiet = { ci: false, say: () => undefined }

function echoServer(port: number): object {
  return {
    name: 'echo',
    variable,
    detect: async () => undefined,
    start: async (folder: string) => {
      const script = `require('net').createServer().listen(${port}, '127.0.0.1')`
      const ready = (): Promise<boolean> => processes.answers(port)
      const server = await processes.startProcess(process.execPath, ['-e', script], { folder, ready })
      return { url: `echo://127.0.0.1:${port}`, stop: () => server.stop() }
    },
  }
}

describe('the services of a test run', () => {
  afterEach(() => {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the name is random
    delete process.env[variable]
  })

  it('are started as private processes and stopped again', async () => {
    const port = await processes.freePort()

    const outcome = await startServices([echoServer(port)], quiet)
    const answeredBefore = await processes.answers(port)
    await outcome.stop()

    expect(outcome.environment).toEqual({ [variable]: `echo://127.0.0.1:${port}` })
    expect(answeredBefore).toBe(true)
    expect(await processes.answers(port)).toBe(false)
  })

  it('named by the environment win over those that could be started', async () => {
    process.env[variable] = 'echo://elsewhere'
    const never = { ...echoServer(0), start: () => Promise.reject(new Error('was started')) }

    const outcome = await startServices([never], quiet)

    expect(outcome.environment).toEqual({ [variable]: 'echo://elsewhere' })
  })

  it('that cannot be had are reported with the reason, and installed first with CI=true', async () => {
    let reason: string | undefined = 'no echo on the PATH'
    const port = await processes.freePort()
    const service = {
      ...echoServer(port),
      detect: async () => reason,
      install: async () => {
        reason = undefined
      },
    }

    const local = await startServices([service], quiet)
    const ci = await startServices([service], { ...quiet, ci: true })
    await ci.stop()

    expect(local.report).toEqual([{ name: 'echo', variable, missing: 'no echo on the PATH', unproven: [] }])
    expect(ci.report).toMatchObject([{ name: 'echo', origin: 'started here' }])
  })

  it('that end before they are ready fail with their own words', async () => {
    const broken = {
      ...echoServer(0),
      start: (folder: string) =>
        processes.startProcess(process.execPath, ['-e', `console.error('bad flag'); process.exit(2)`], {
          folder,
          ready: async () => false,
        }),
    }

    const outcome = await startServices([broken], quiet)

    expect(outcome.report[0]?.missing).toContain('bad flag')
  })
})
