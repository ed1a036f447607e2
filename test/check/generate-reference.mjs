/**
 * Writes what is generated from the option table, the error tree and the drivers: the types `Config` and `ConfigInput`,
 * and the reference pages. Runs on the build: `node test/check/generate-reference.mjs [--check] [--dist folder]`.
 *
 * `--check` writes nothing and ends with exit code 1 when a file is stale.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { capabilityPage } from './reference/capability-page.mjs'
import { configPage } from './reference/config-page.mjs'
import { configType } from './reference/config-types.mjs'
import { errorPage } from './reference/error-page.mjs'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const check = process.argv.includes('--check')
const distFlag = process.argv.indexOf('--dist')
const dist = resolve(root, distFlag < 0 ? 'dist' : process.argv[distFlag + 1])

const load = (path) => import(pathToFileURL(resolve(dist, path)).href)
const { OPTION_AREAS } = await load('src/config/option/option-table.js')
const { INACTIVE_OPTIONS } = await load('src/config/option/inactive.js')
const { lowerName } = await load('src/config/option/option-names.js')
const { describeOptions } = await load('src/config/option/describe-options.js')
const { ERROR_CODES } = await load('src/errors/codes.js')
const { BrokerRegistry } = await load('src/broker/registry.js')
const { brokerDrivers } = await load('brokers/index.js')
const descriptions = describeOptions()
const brokers = new BrokerRegistry()
for (const driver of brokerDrivers) brokers.register(driver)

const files = [
  configType(OPTION_AREAS, descriptions),
  ['docs/reference/configuration.md', configPage(descriptions, INACTIVE_OPTIONS, lowerName)],
  ['docs/reference/capabilities.md', await capabilityPage(brokers)],
  ['docs/reference/errors.md', errorPage(ERROR_CODES, await load('src/errors/errors.js'))],
]

const stale = []
for (const [path, text] of files) {
  const file = resolve(root, path)
  const wanted = await format(text, { ...(await resolveConfig(file)), filepath: file })
  const found = await readFile(file, 'utf8').catch(() => undefined)
  if (found === wanted) continue
  stale.push(path)
  if (check) continue
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, wanted)
}

if (stale.length === 0) console.log('generated files are fresh')
else if (check) {
  console.error(`stale: ${stale.join(', ')}; run: npm run build && node test/check/generate-reference.mjs`)
  process.exitCode = 1
} else console.log(`written: ${stale.join(', ')}`)
