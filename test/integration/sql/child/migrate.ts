/** A process that migrates and prints what it did: `migrate.js <url>`. */
import { migrate } from '../../../../brokers/sql/index.js'

const { applied } = await migrate(process.argv[2] ?? '')
process.stdout.write(applied.map((name) => `${name}\n`).join(''))
