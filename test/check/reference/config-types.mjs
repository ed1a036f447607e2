/** The generated type file, as a pair of path and text. */
export function configType(areas, descriptions) {
  const defaults = new Map(descriptions.map((option) => [option.name, option.defaultText]))
  const options = areas.flatMap((area) => Object.entries(area.options))
  const text = [
    '// Generated from the option table by test/check/generate-reference.mjs.',
    ...imports(options),
    '',
    '/** What a user writes: every option, none required. */',
    'export interface ConfigInput {',
    ...options.flatMap(([name, option]) => inputMembers(name, option, defaults.get(name))),
    '}',
    '',
    '/** What the code reads: every option, checked, defaults filled in, lengths of time in milliseconds. */',
    'export interface Config {',
    ...options.map(([name, option]) => outputMember(name, option)),
    '}',
    '',
  ].join('\n')
  return ['src/config/config.ts', text]
}

function imports(options) {
  const byModule = new Map()
  if (options.some(([, option]) => option.kind === 'duration')) {
    byModule.set('../util/duration.js', new Set(['DurationInput']))
  }
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
