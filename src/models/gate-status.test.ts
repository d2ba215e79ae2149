import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../kernel/fault.ts'
import { createCatalog } from './catalog.ts'
import { declareModels } from './declared-models.ts'
import { gateStatus } from './gate-status.ts'
import type { ModelInfo, Upstream } from './upstream.ts'

const upstream = (name: string, models: () => Promise<ModelInfo[]>): Upstream => ({
  name, zone: 'machine', listsAll: true, models, close: async () => {},
  async *chat() {},
})
const small: ModelInfo = { name: 'small:latest', zone: 'machine', embedding: false }

test('an upstream that hangs is told as silent, and holds up neither the status nor the others', async () => {
  const hanging = Promise.withResolvers<ModelInfo[]>()
  const catalog = createCatalog([
    upstream('hangs', () => hanging.promise),
    upstream('well', async () => [small]),
    upstream('down', async () => Promise.reject(new Fault('unavailable', 'upstream.unreachable', 'upstream down cannot be reached'))),
  ])
  const look = async () => (await gateStatus('local', '', { catalog, routes: {}, resting: () => [] }, true, 20)).upstreams.map(({ name, state, models, error }) => [name, state, models.length, error?.code])
  assert.deepEqual(await look(), [['hangs', 'silent', 0, 'upstream.late'], ['well', 'answers', 1, undefined], ['down', 'silent', 0, 'upstream.unreachable']])
  hanging.resolve([small])
  assert.deepEqual((await look())[0], ['hangs', 'answers', 1, undefined])
})

test('an upstream whose key is missing is not asked, and the secret is named', async () => {
  const far = { name: 'far', kind: 'openai', url: 'http://127.0.0.1:9', zone: 'cloud', key: { secret: 'FAR_KEY' } } as const
  const { upstreams } = await gateStatus('cloud', '', { ...declareModels({ upstreams: [far], routes: {} }, 'cloud', {}), resting: () => [] }, true)
  assert.deepEqual(upstreams.map(({ state, error }) => [state, /FAR_KEY/.test(error!.message)]), [['not asked', true]])
})
