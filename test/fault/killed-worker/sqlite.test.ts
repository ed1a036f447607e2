import { describeKilledWorkers } from './suite.js'

describeKilledWorkers('SQLite')
