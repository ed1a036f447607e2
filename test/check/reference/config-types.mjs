/** Options of the stores stand in a file of their own, so that both stay readable. */
const STORE_AREAS = new Set(['database', 'redis', 'security', 'stores'])

/** The generated type files, as pairs of path and text. */
export function configTypes(areas, descriptions) {
  const defaults = new Map(descriptions.map((option) => [option.name, option.defaultText]))
  const main = areas.filter((area) => !STORE_AREAS.has(area.name))
  const stores = areas.filter((area) => STORE_AREAS.has(area.name))
  return [
    ['src/config/config.ts', typesFile(main, { prefix: '', base: 'Store', defaults })],
    ['src/config/store-config.ts', typesFile(stores, { prefix: 'Store', base: undefined, defaults })],
  ]
}

function typesFile(areas, { prefix, base, defaults }) {
  const options = areas.flatMap((area) => Object.entries(area.options))
  const about = prefix === '' ? 'every option' : 'the options of stores'
  const extending = (name) => (base === undefined ? '' : ` extends ${base}${name}`)
  return [
    '// Generated from the option table by test/check/generate-reference.mjs.',
    ...imports(options, base),
    '',
    `/** What a user writes: ${about}, none required. */`,
    `export interface ${prefix}ConfigInput${extending('ConfigInput')} {`,
    ...options.flatMap(([name, option]) => inputMembers(name, option, defaults.get(name))),
    '}',
    '',
    `/** What the code reads: ${about}, checked, defaults filled in, lengths of time in milliseconds. */`,
    `export interface ${prefix}Config${extending('Config')} {`,
    ...options.map(([name, option]) => outputMember(name, option)),
    '}',
    '',
  ].join('\n')
}

function imports(options, base) {
  const byModule = new Map()
  if (options.some(([, option]) => option.kind === 'duration')) {
    byModule.set('../util/duration.js', new Set(['DurationInput']))
  }
  if (base !== undefined) byModule.set('./store-config.js', new Set([`${base}Config`, `${base}ConfigInput`]))
  for (const [, option] of options) {
    if (option.types?.module === undefined) continue
    const path = option.types.module.startsWith('..')
      ? `./${option.types.module.slice(3)}.js`
      : `./value/${option.types.module}.js`
    const names = byModule.get(path) ?? new Set()
    for (const type of [option.types.input, option.types.output]) {
      for (const name of type.match(/\b[A-Z]\w+/g) ?? []) names.add(name)
    }
    byModule.set(path, names)
  }
  return [...byModule].map(
    ([path, names]) => `import type { ${[...names].sort().join(', ')} } from '${path}'`,
  )
}

function inputMembers(name, option, defaultText) {
  const nullable = 'whenNone' in option ? ' | null' : ''
  const type = `${inputType(option)}${nullable} | undefined`.replace('unknown | undefined', 'unknown')
  const doc = ['/**', ` * ${option.doc}`, ' *', ` * @defaultValue ${defaultText}`, ' */']
  const aliases = (option.aliases ?? []).flatMap((alias) => [
    `/** The same as \`${name}\`. */`,
    `readonly ${alias}?: ${type}`,
  ])
  return [...doc, `readonly ${name}?: ${type}`, ...aliases]
}

function outputMember(name, option) {
  const resolved = option.kind === 'duration' ? `${name}Ms` : name
  const open = option.default === undefined && option.sameAs === undefined && option.derive === undefined
  const type = open
    ? `${outputType(option)} | undefined`.replace('unknown | undefined', 'unknown')
    : outputType(option)
  return `readonly ${resolved}: ${type}`
}

function inputType(option) {
  if (option.kind === 'duration') return 'DurationInput'
  return option.kind === 'value' ? option.types.input : plainType(option)
}

function outputType(option) {
  if (option.kind === 'duration') return 'number'
  return option.kind === 'value' ? option.types.output : plainType(option)
}

function plainType(option) {
  if (option.choices !== undefined) return option.choices.map((choice) => `'${choice}'`).join(' | ')
  const types = {
    boolean: 'boolean',
    integer: 'number',
    number: 'number',
    string: 'string',
    list: 'readonly string[]',
    dict: 'Readonly<Record<string, unknown>>',
  }
  return types[option.kind]
}
