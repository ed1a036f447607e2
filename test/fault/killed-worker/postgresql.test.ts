import { describeKilledWorkers } from './suite.js'

describeKilledWorkers('PostgreSQL')
