import { maskUrls } from '../../util/mask-url.js'
import { variablesOf } from '../source/environment.js'
import { lowerName, oldNames } from './option-names.js'
import { OPTION_AREAS } from './option-table.js'
import type { DurationOption, Option, StringOption } from './option.js'
import { numberForm } from '../value/read-option.js'

/** An option as the reference and `--help` show it. */
export interface OptionDescription {
  /** The camelCase name. */
  readonly name: string
  readonly aliases: readonly string[]
  /** The heading it stands under. */
  readonly area: string
  /** `boolean`, `a positive integer`, `length of time`, … with range and unit. */
  readonly form: string
  /** The default for a reader. */
  readonly defaultText: string
  /** Celery's name, or the lower-case form of an option that Celery does not have. */
  readonly lowerName: string
  /** Upper-case names from before Celery 4 that differ from the new one in more than case, or the upper-case form. */
  readonly oldNames: readonly string[]
  /** Environment variables, the one that wins first. */
  readonly variables: readonly string[]
  /** The first sentence of `doc`. */
  readonly summary: string
  readonly doc: string
  readonly deprecated: string | undefined
}

/** Every option, in the order of the reference. */
export function describeOptions(): readonly OptionDescription[] {
  return OPTION_AREAS.flatMap((area) =>
    Object.entries(area.options).map(([name, option]) => describe(name, option, area.title)),
  )
}

function describe(name: string, option: Option, area: string): OptionDescription {
  return {
    name,
    aliases: option.aliases ?? [],
    area,
    form: formOf(option),
    defaultText: defaultOf(option),
    lowerName: lowerName(name),
    oldNames: option.old ?? oldNames(name, option).slice(0, 1),
    variables: variablesOf(name, option),
    summary: /^.*?\.(?= [A-Z`]|$)/.exec(option.doc)?.[0] ?? option.doc,
    doc: option.doc,
    deprecated: option.deprecated,
  }
}

function formOf(option: Option): string {
  switch (option.kind) {
    case 'integer':
    case 'number':
      return numberForm(option) + (option.unit === undefined ? '' : `, in ${option.unit}`)
    case 'string':
      return textForm(option)
    case 'duration':
      return lengthForm(option)
    case 'value':
      return option.form
    case 'boolean':
    case 'list':
    case 'dict':
      return PLAIN_FORMS[option.kind]
  }
}

const PLAIN_FORMS = { boolean: 'boolean', list: 'list of words', dict: 'object' }

function textForm(option: StringOption): string {
  if (option.choices !== undefined) return option.choices.map((choice) => `\`${choice}\``).join(', ')
  return option.url === true ? 'URL' : 'text'
}

function lengthForm(option: DurationOption): string {
  const least = option.min === undefined ? '' : `, at least ${durationText(option.min)}`
  return `length of time${least}${option.infinite === true ? ', or `Infinity`' : ''}`
}

function defaultOf(option: Option): string {
  if (option.defaultText !== undefined) return option.defaultText
  if (option.sameAs !== undefined) return `the value of \`${option.sameAs}\``
  if (option.default === undefined) return 'not set'
  if (option.kind === 'duration') return durationText(option.default)
  if (typeof option.default === 'number') return `\`${option.default}\``
  if (typeof option.default === 'string') return option.default === '' ? 'empty' : `\`${option.default}\``
  return `\`${maskUrls(JSON.stringify(option.default).replace(/([,:])(?=\S)/g, '$1 '))}\``
}

function durationText(input: unknown): string {
  if (typeof input === 'number') return input === 0 ? '0' : `${input} ${input === 1 ? 'second' : 'seconds'}`
  if (typeof input !== 'object' || input === null) return String(input)
  return Object.entries(input)
    .map(([unit, amount]) => `${String(amount)} ${amount === 1 ? unit.slice(0, -1) : unit}`)
    .join(' ')
}
