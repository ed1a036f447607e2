import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from '@jest/globals'

import { lowerName, oldNames } from '../../../src/config/option/option-names.js'
import { OPTIONS } from '../../../src/config/option/option-table.js'
import { projectRoot } from '../../support/child.js'
import { PROOFS, type Proof } from './option-proofs.js'

/** What is wrong with a proof; `undefined` when the test is there, is run, and names its option. */
function faultOf(option: string, [file, test]: Proof): string | undefined {
  const path = join(projectRoot, 'test', file)
  if (!existsSync(path)) return `${option}: there is no test/${file}`
  const text = readFileSync(path, 'utf8')
  const at = text.search(new RegExp(`['"\`]${test.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}['"\`]`))
  if (at < 0) return `${option}: test/${file} has no test "${test}"`
  if (/\.(?:skip|todo|failing)\b[^\n]*\n?[^\n]*$/.test(text.slice(0, at).slice(-200)))
    return `${option}: "${test}" does not run`
  // The rows of a test that has some may stand anywhere in its file.
  const named = test.includes('%') ? text : aroundOf(text, at)
  return spellings(option).some((word) => new RegExp(`\\b${word}\\b`).test(named))
    ? undefined
    : `${option}: the test "${test}" of test/${file} does not name it`
}

/** The test that is at this place of a file, as it is written: from the start of one to that of the next. */
function aroundOf(text: string, at: number): string {
  const starts = [...text.matchAll(/^[ \t]*(?:it|describe|with\w+)(?:\.\w+)?(?:<.*>)?\(/gm)].map(
    ({ index }) => index,
  )
  const start = starts.findLast((index) => index <= at)
  return text.slice(
    start,
    starts.find((index) => index > at),
  )
}

function spellings(name: string): readonly string[] {
  const option = OPTIONS.get(name)
  if (option === undefined) return [name]
  const own = [name, ...(option.aliases ?? [])]
  const flags = own.map((word) => lowerName(word).replaceAll('_', '-'))
  return [...own, ...own.map(lowerName), ...flags, ...oldNames(name, option)]
}

describe('an option', () => {
  it('has a test that proves what it does', () => {
    expect([...OPTIONS.keys()].filter((name) => !(name in PROOFS))).toEqual([])
  })

  it.each(Object.entries(PROOFS))('%s: its test is there, and names it', (option, proof) => {
    expect(faultOf(option, proof)).toBeUndefined()
  })

  it('is one of the table', () => {
    const strangers = Object.keys(PROOFS).filter((name) => !OPTIONS.has(name))

    expect(strangers).toEqual([])
  })
})
