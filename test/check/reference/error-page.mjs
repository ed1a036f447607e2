/** The page `docs/reference/errors.md`. */
export function errorPage(codes, classes) {
  const rows = [...new Set(Object.values(classes))]
    .filter(
      (value) => typeof value === 'function' && /Error$/.test(value.name) && value.name !== 'LovageError',
    )
    .map((value) => describe(value, codes))
  const used = new Set(rows.map((row) => row.code))
  const unused = Object.keys(codes).filter((code) => !used.has(code))
  const extra =
    unused.length === 0 ? '' : `\n## Codes without a class of their own\n\n${codeList(unused, codes)}\n`
  return `<!-- Generated from src/errors by test/check/generate-reference.mjs. -->

# Errors

Every error that Lovage throws extends \`LovageError\` and has a \`code\`, a \`retryable\` flag (the same call may succeed
later without a change) and, where it was made from another error, a \`cause\`. Branch on the class or the code; the text
of a message may change at any time. A code, once released, keeps its meaning.

| class | code | retryable | extends | thrown when |
| --- | --- | --- | --- | --- |
${rows.map(row).join('\n')}
${extra}`
}

function describe(value, codes) {
  const { code, retryable } = sample(value)
  return {
    name: value.name,
    parent: Object.getPrototypeOf(value).name,
    code,
    retryable,
    meaning: codes[code],
  }
}

/** Class fields exist on instances alone; what the constructors ask for is not looked at. */
function sample(value) {
  const instance = Reflect.construct(value, ['', {}, {}, {}])
  return { code: instance.code, retryable: instance.retryable }
}

function row({ name, parent, code, retryable, meaning }) {
  return `| \`${name}\` | \`${code}\` | ${retryable ? 'yes' : 'no'} | \`${parent}\` | ${meaning} |`
}

function codeList(names, codes) {
  return names.map((code) => `- \`${code}\`: ${codes[code]}`).join('\n')
}
