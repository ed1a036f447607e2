import { Lovage } from 'lovage'

// #region settings
const app = new Lovage('shop', { broker: 'redis://localhost/0', taskAcksLate: false, lease: { minutes: 1 } })

app.conf.workerConcurrency = 20
// #endregion

console.log(app.config().workerConcurrency, app.config().leaseMs) // 20 60000
