import { describeKilledWorkers } from './suite.js'

describeKilledWorkers('SQS')
