import { describeKilledWorkers } from './suite.js'

describeKilledWorkers('MariaDB')
