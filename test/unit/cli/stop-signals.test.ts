import { afterEach, expect, it, jest } from '@jest/globals'

import { onStopSignals } from '../../../src/cli/stop-signals.js'

let release = (): void => {}

afterEach(() => {
  release()
  jest.restoreAllMocks()
})

/** Takes what signals lead to; the clock stands where it is put. */
function listen(): { readonly steps: string[]; at(ms: number): void } {
  const steps: string[] = []
  const clock = jest.spyOn(performance, 'now').mockReturnValue(0)
  release = onStopSignals({
    warm: (signal) => steps.push(`warm ${signal}`),
    cold: (signal) => steps.push(`cold ${signal}`),
    now: (signal) => steps.push(`now ${signal}`),
  })
  return { steps, at: (ms) => clock.mockReturnValue(ms) }
}

it('the first signal is warm, the second cold, the third immediate', () => {
  const { steps, at } = listen()

  process.emit('SIGTERM', 'SIGTERM')
  at(1000)
  process.emit('SIGINT', 'SIGINT')
  at(2000)
  process.emit('SIGTERM', 'SIGTERM')

  expect(steps).toEqual(['warm SIGTERM', 'cold SIGINT', 'now SIGTERM'])
})

it('SIGQUIT is cold from the start', () => {
  const { steps, at } = listen()

  process.emit('SIGQUIT', 'SIGQUIT')
  at(1000)
  process.emit('SIGINT', 'SIGINT')

  expect(steps).toEqual(['cold SIGQUIT', 'now SIGINT'])
})

it('a Ctrl-C that npm repeats counts once, a later one counts', () => {
  const { steps, at } = listen()

  process.emit('SIGINT', 'SIGINT')
  at(50)
  process.emit('SIGINT', 'SIGINT')
  at(1000)
  process.emit('SIGINT', 'SIGINT')

  expect(steps).toEqual(['warm SIGINT', 'cold SIGINT'])
})

it('two SIGTERM in a row are two: nobody repeats them by accident', () => {
  const { steps } = listen()

  process.emit('SIGTERM', 'SIGTERM')
  process.emit('SIGTERM', 'SIGTERM')

  expect(steps).toEqual(['warm SIGTERM', 'cold SIGTERM'])
})

it('nothing listens after the end', () => {
  const before = process.listenerCount('SIGTERM')
  listen()

  release()

  expect(process.listenerCount('SIGTERM')).toBe(before)
})
