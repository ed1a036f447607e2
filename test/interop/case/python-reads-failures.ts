import { expect } from '@jest/globals'
import { calledBy, type InteropCase } from '../support/interop-case.js'

/** How failures of Lovage's tasks look to Python. */
export const pythonReadsFailures: readonly InteropCase[] = calledBy('Python', [
  {
    feature: 'failures with built-in errors',
    title: 'Python raises its own built-in for a JavaScript error that means the same',
    since52: true,
    run: async ({ python }) => {
      const code = `
        result = send('node.fail', 'no such parcel: größe')
        got = raised(result)
        return [got, result.state, result.traceback]`
      expect(await python.run(code)).toEqual([
        { type: 'ValueError', module: 'builtins', args: ['no such parcel: größe'] },
        'FAILURE',
        expect.stringMatching(/interop-app[^]*RangeError: no such parcel: größe\n$/),
      ])
    },
  },
  {
    feature: 'failures with custom exceptions',
    title: 'Python raises its own class for a registered error of Lovage, arguments included',
    since52: true,
    run: async ({ python }) => {
      const code = `
        try:
            call('node.fail_custom', 42, 'lovage')
        except errors.NotEnough as error:
            return [error.missing, error.what]`
      expect(await python.run(code)).toEqual([42, 'lovage'])
    },
  },
  {
    feature: 'failures with unknown classes',
    title: 'Python raises a class of the name and message of an error that it does not know',
    since52: true,
    run: async ({ python }) => {
      const got = await python.run(`return raised(send('node.fail_own', 'a leaf'))`)
      expect(got).toEqual({ type: 'LeafMissing', module: expect.any(String), args: ['a leaf'] })
    },
  },
  {
    feature: 'Ignore and Reject',
    title: "Python reads FAILURE for a Reject of Lovage's task, and nothing for an Ignore",
    since52: true,
    run: async (stage) => {
      const path = stage.path()
      const code = `
        ignored = send('node.ignore', '${path}')
        rejected = raised(send('node.reject'))
        until(lambda: os.path.exists('${path}'))
        call('node.add', 1, 1)
        return [rejected['type'], rejected['args'], ignored.state]`
      expect(await stage.python.run(code)).toEqual(['Reject', ['damaged', false], 'PENDING'])
    },
  },
  {
    feature: 'unknown task names',
    title: 'Python reads NotRegistered for a name that no Lovage worker knows',
    since52: true,
    run: async ({ python }) => {
      const got = await python.run(`return raised(send('node.nobody_has_it'))`)
      expect(got).toEqual({
        type: 'NotRegistered',
        module: 'celery.exceptions',
        args: ['node.nobody_has_it'],
      })
    },
  },
  {
    feature: 'pickle',
    title: "a pickled message of Python's is set aside with a FAILURE, and the worker goes on",
    since52: true,
    run: async ({ python }) => {
      const code = `
        got = raised(send('node.echo', {1, 2}, serializer='pickle'))
        return [got['type'], 'pickle' in str(got['args']), call('node.add', 1, 1)]`
      expect(await python.run(code)).toEqual(['ContentDisallowedError', true, 2])
    },
  },
])
