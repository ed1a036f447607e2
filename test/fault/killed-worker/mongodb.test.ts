import { describeKilledWorkers } from './suite.js'

describeKilledWorkers('MongoDB')
