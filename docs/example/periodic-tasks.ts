import { Beat } from 'lovage/beat'

// #region declaring
import { crontab, Lovage } from 'lovage'

const app = new Lovage('shop', { timezone: 'Asia/Tokyo' })

app.periodicTask({ name: 'shop.sync', runEvery: { seconds: 30 } }, () => 'synced')
app.periodicTask(
  { name: 'shop.report', runEvery: crontab({ minute: 0, hour: 8, dayOfMonth: 1 }) },
  () => 'sent',
)

const add = app.task('shop.add', (one: number, other: number) => one + other)
app.onAfterConfigure(() => {
  app.addPeriodicTask('0 7 * * mon', add.s(16, 16), { name: 'monday', expires: 60 })
})
// #endregion

const beat = new Beat(app, {
  onTick: ({ entries }) => {
    if (entries > 0) void beat.stop()
  },
})
await beat.run()
const listed = await app.beat.list()
console.log(listed.map(({ name }) => name).join()) // celery.backend_cleanup,monday,shop.report,shop.sync

// #region clocks
const timezone = 'America/New_York'
const night = crontab({ minute: 30, hour: 2 })
const hourly = crontab({ minute: 30 })

console.log(night.next(new Date('2026-03-08T05:00:00Z'), { timezone }).toISOTime()) // 03:00:00.000-04:00
console.log(hourly.next(new Date('2026-11-01T05:30:00Z'), { timezone }).toISOTime()) // 01:30:00.000-05:00
// #endregion
await app.close()
