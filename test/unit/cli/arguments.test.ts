import { describe, expect, it } from '@jest/globals'

import {
  argumentsOfProgram,
  iniPath,
  isIniFile,
  normalArguments,
  valueOf,
} from '../../../src/cli/arguments.js'

const commands = new Set(['worker', 'call', 'result', 'beat', 'shell', 'migrate'])

function normal(line: string): string {
  const { argv, iniFile } = normalArguments(line.split(' '), commands)
  return `${argv.join(' ')} | ${iniFile ?? '-'}`
}

describe('normalArguments', () => {
  it('takes an ini file out from behind the command', () => {
    expect(normal('worker ./development.ini -l info')).toBe('worker -l info | ./development.ini')
  })

  it('takes an ini file out from before the command', () => {
    expect(normal('./development.ini worker -l info')).toBe('worker -l info | ./development.ini')
  })

  it('keeps the section that an ini file is named with', () => {
    expect(normal('call production.ini#app:shop tasks.add')).toBe('call tasks.add | production.ini#app:shop')
  })

  it.each([
    ['celeryd ./development.ini', 'worker | ./development.ini'],
    ['pceleryd ./development.ini', 'worker | ./development.ini'],
    ['celerybeat', 'beat | -'],
    ['pcelerybeat dev.ini', 'beat | dev.ini'],
    ['pcelery worker dev.ini', 'worker | dev.ini'],
    ['celery -A tasks worker', '-A tasks worker | -'],
    ['pshell dev.ini', 'shell | dev.ini'],
    ['migrate-db --plan', 'migrate --plan | -'],
  ])('reads the old line "%s"', (line, expected) => {
    expect(normal(line)).toBe(expected)
  })

  it('does not take the value of a global option for the command', () => {
    expect(normal('-A worker worker -l info')).toBe('-A worker worker -l info | -')
    expect(normal('-A call celeryd dev.ini')).toBe('-A call worker | dev.ini')
  })

  it('leaves what stands behind two dashes alone', () => {
    expect(normal('-- celeryd')).toBe('-- celeryd | -')
  })

  it('leaves a line without a command as it is', () => {
    expect(normal('wroker -l info')).toBe('wroker -l info | -')
  })
})

describe('argumentsOfProgram', () => {
  it('puts the old name of the program in front', () => {
    expect(argumentsOfProgram('/usr/bin/celeryd')).toEqual(['celeryd'])
    expect(argumentsOfProgram('C:\\bin\\pceleryd.js')).toEqual(['pceleryd'])
  })

  it('adds nothing for the usual name', () => {
    expect(argumentsOfProgram('/usr/bin/lovage')).toEqual([])
    expect(argumentsOfProgram(undefined)).toEqual([])
  })
})

it('an ini file is told by its ending, an option is not', () => {
  expect(isIniFile('dev.ini')).toBe(true)
  expect(isIniFile('dev.ini#main')).toBe(true)
  expect(isIniFile('--x=dev.ini')).toBe(false)
  expect(isIniFile('tasks.add')).toBe(false)
})

it('the path of an ini file is made absolute and keeps its section', () => {
  expect(iniPath('conf/dev.ini#main', '/srv')).toBe('/srv/conf/dev.ini#main')
})

it('the value of an option is found in both spellings', () => {
  expect(valueOf(['worker', '--workdir', '/srv'], '--workdir')).toBe('/srv')
  expect(valueOf(['worker', '--workdir=/srv'], '--workdir')).toBe('/srv')
  expect(valueOf(['worker'], '--workdir')).toBeUndefined()
})
