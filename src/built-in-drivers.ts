/** Imported for what it does: every app made afterwards can open the drivers of the package. */
import { backendDrivers } from '../backends/index.js'
import { brokerDrivers } from '../brokers/index.js'
import { addBuiltInDrivers } from './app/drivers.js'

addBuiltInDrivers(brokerDrivers, backendDrivers)
