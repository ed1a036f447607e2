import { Lovage } from 'lovage'

// #region settings
const app = new Lovage('shop', { broker: 'redis://localhost/0', taskAcksLate: false, lease: { minutes: 1 } })

app.conf.workerConcurrency = 20
// #endregion

console.log(app.conf.workerConcurrency, app.conf['task_acks_late']) // 20 false
