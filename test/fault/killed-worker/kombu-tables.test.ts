import { describeKilledWorkers } from './suite.js'

describeKilledWorkers("kombu's tables")
