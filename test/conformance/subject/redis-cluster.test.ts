import { describe, it } from '@jest/globals'
import { describeRedis } from '../../support/redis-subject.js'
import { serviceUrl } from '../../support/service-url.js'

const cluster = serviceUrl('redis-cluster')

if (cluster === undefined) {
  describe('a Redis Cluster', () => {
    it.skip('is tested where LOVAGE_TEST_REDIS_CLUSTER_URL names one', () => undefined)
  })
} else describeRedis('a Redis Cluster', [`${cluster}?delay=store`, cluster])
