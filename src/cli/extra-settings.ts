import { findOption, nearestName } from '../config/option/option-names.js'
import { valueFromText } from '../config/value/from-text.js'
import { UsageError } from './usage-error.js'

/**
 * Settings written as options that a command does not have: `--worker-lost-wait 5`, `--task-acks-late=no`, or, behind
 * two dashes, `task_acks_late=no`. An option without a value switches on, `--no-…` switches off.
 *
 * @param words - What was left of the command line.
 * @returns Options by camelCase name.
 * @throws UsageError for a word that is no setting, with the nearest one.
 */
export function extraSettings(words: readonly string[]): Readonly<Record<string, unknown>> {
  const settings: Record<string, unknown> = {}
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? ''
    if (word === '--') continue
    const next = words[index + 1]
    const read = parseWord(word, next === undefined || isName(next) ? undefined : next)
    const { name, value } = settingOf(read)
    settings[name] = value
    if (read.tookNext) index += 1
  }
  return settings
}

interface ReadWord {
  readonly word: string
  readonly name: string
  readonly text: string
  readonly tookNext: boolean
}

function parseWord(word: string, next: string | undefined): ReadWord {
  const match = /^(?:--)?([A-Za-z][\w.-]*)(?:=(.*))?$/s.exec(word)
  if (match?.[1] === undefined || (!word.startsWith('--') && match[2] === undefined)) {
    throw new UsageError(`unexpected argument "${word}"`)
  }
  const name = match[1].replaceAll(/[-.]/g, '_')
  if (match[2] !== undefined) return { word, name, text: match[2], tookNext: false }
  if (name.startsWith('no_')) return { word, name: name.slice('no_'.length), text: 'false', tookNext: false }
  return { word, name, text: next ?? 'true', tookNext: next !== undefined }
}

function settingOf({ word, name, text }: ReadWord): { readonly name: string; readonly value: unknown } {
  const found = findOption(name) ?? findOption(name.toLowerCase())
  if (found !== undefined)
    return { name: found.name, value: valueFromText(found.option, text, word.replace(/=.*/s, '')) }
  const near = nearestName(name)
  const hint = near === undefined ? '' : `; did you mean --${dashed(near)}?`
  throw new UsageError(`"${word}" is neither an option of this command nor a setting${hint}`)
}

function dashed(name: string): string {
  return name.replaceAll('_', '-').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function isName(word: string): boolean {
  return word.startsWith('--') || /^\w+=/.test(word)
}
