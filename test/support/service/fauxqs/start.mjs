/** Run fauxqs until the process is ended: `start.mjs <its module> <port>`. */
import { pathToFileURL } from 'node:url'

const [file, port] = process.argv.slice(2)
const { startFauxqs } = await import(pathToFileURL(file).href)
await startFauxqs({ port: Number(port), host: '127.0.0.1', logger: false })
