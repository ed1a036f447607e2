import { describeKilledWorkers } from './suite.js'

describeKilledWorkers('Redis')
