/**
 * Keeps the code of the pages equal to the examples it is taken from.
 *
 * A marker stands above a code block: `<!-- code: docs/example/results.ts#get -->`. The block is the named region of
 * the file (`// #region get` … `// #endregion`), all of that name one after the other, or the whole file where no region is named.
 *
 * Without arguments it says what is stale and exits with 1; `--write` brings the pages up to date.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, extname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const marker = /<!-- code: ([^#\s]+)(?:#(\S+))? -->\n\n?```(\w*)\n([\s\S]*?)```/g

const problems = pages().flatMap(process.argv.includes('--write') ? write : check)
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1

function pages() {
  const found = readdirSync(join(root, 'docs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  return [join(root, 'README.md'), ...found].filter((file) => existsSync(file))
}

function write(page) {
  const text = readFileSync(page, 'utf8')
  const fresh = refreshed(text)
  if (fresh !== text) writeFileSync(page, fresh)
  return []
}

function check(page) {
  const name = relative(root, page)
  const text = readFileSync(page, 'utf8')
  const stale =
    refreshed(text) === text ? [] : [`${name}: code is stale; run node test/docs/include-code.mjs --write`]
  return [...stale, ...unmarked(text, name), ...deadLinks(text, page)]
}

function refreshed(text) {
  return text.replace(marker, (_whole, file, region) => {
    const code = regionOf(readFileSync(join(root, file), 'utf8'), region, file)
    const hash = region === undefined ? '' : `#${region}`
    return `<!-- code: ${file}${hash} -->\n\n\`\`\`${extname(file).slice(1)}\n${code}\`\`\``
  })
}

/** The lines of the regions of a name, moved to the left margin, without the marks of other regions. */
function regionOf(source, region, file) {
  const lines = source.split('\n')
  const parts = region === undefined ? [lines] : regionsOf(lines, region)
  if (parts.length === 0) throw new Error(`${file} has no region "${region}"`)
  return `${parts.map(toMargin).join('\n\n')}\n`
}

function toMargin(lines) {
  const body = lines.filter((line) => !/^\s*\/\/ #(end)?region/.test(line))
  const margin = Math.min(...body.filter((line) => line.trim() !== '').map((line) => line.search(/\S/)))
  return body
    .map((line) => line.slice(margin))
    .join('\n')
    .trim()
}

function regionsOf(lines, region) {
  const starts = lines.flatMap((line, index) => (line.trim() === `// #region ${region}` ? [index] : []))
  return starts.map((start) => lines.slice(start + 1, endOf(lines, start)))
}

function endOf(lines, start) {
  let depth = 0
  for (let index = start; index < lines.length; index += 1) {
    if (/^\s*\/\/ #region/.test(lines[index])) depth += 1
    if (/^\s*\/\/ #endregion/.test(lines[index])) depth -= 1
    if (depth === 0) return index
  }
  throw new Error(`the region in line ${start + 1} has no end`)
}

/** A block of TypeScript that no example stands behind would rot unseen. */
function unmarked(text, name) {
  const rest = text.replace(marker, '')
  const blocks = [...rest.matchAll(/```(ts|typescript|js|javascript)\n([^\n]*)/g)]
  if (!name.startsWith('docs/guide/') && name !== 'docs/getting-started.md') return []
  return blocks.map(([, , line]) => `${name}: code without an example behind it: ${line}`)
}

function deadLinks(text, page) {
  const prose = text.replace(/```[\s\S]*?```/g, '')
  const links = [...prose.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)].map(([, path]) => path)
  const dead = links.filter((path) => !existsSync(resolve(dirname(page), path)))
  return dead.map((path) => `${relative(root, page)}: link to nothing: ${path}`)
}
