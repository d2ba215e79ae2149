import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import {
  githubHeaders, salesApi, secrets, standardHeaders, stripeHeaders, testListener, webhook, type Headers, type TestListener,
} from '../../test/support/webhooks.ts'
import type { WebhookSettings } from '../house/index.ts'

const minutes = (count: number) => count * 60_000
const after = ({ clock }: TestListener, ms: number) => new Date(clock.now().getTime() + ms)
/** Status, and whether it was stored. */
async function deliver(listener: TestListener, path: string, headers: Headers, body: string): Promise<[number, boolean]> {
  const before = (await listener.events()).length
  const { status, text } = await listener.post(path, headers, body)
  assert.equal(text, '', 'nobody is told a word')
  return [status, (await listener.events()).length > before]
}

const signed: Record<string, { kind: 'standard' | 'stripe'; name: 'std' | 'pay'; body: (id: string) => string; headers: (body: string, id: string, at: Date, secret?: string) => Headers }> = {
  'Standard Webhooks': {
    kind: 'standard', name: 'std',
    body: () => '{"type":"contact.created","data":{"name":"Łukasz 😀"}}',
    headers: (body, id, at, secret) => standardHeaders(body, { id, at, ...(secret !== undefined && { secret }) }),
  },
  Stripe: {
    kind: 'stripe', name: 'pay',
    body: (id) => `{"id":"${id}","type":"contact.created","data":{}}`,
    headers: (body, _id, at, secret) => stripeHeaders(body, { at, ...(secret !== undefined && { secret }) }),
  },
}

for (const [sender, { kind, name, body: bodyOf, headers }] of Object.entries(signed)) {
  describe(sender, () => {
    const path = `/hooks/${name}`
    const body = bodyOf('evt_1')

    test('what it signed is stored as it came, with its id and type', async (t) => {
      const listener = await testListener(t, [webhook(name, kind)])
      assert.deepEqual(await deliver(listener, path, headers(body, 'evt_1', listener.clock.now()), body), [202, true])
      assert.deepEqual(await listener.events(), [{ source: name, event_id: 'evt_1', type: 'contact.created', body }])
      assert.equal(listener.stored(), 1)
    })

    test('another secret, another byte, another time in the header, or no signature at all is a 404', async (t) => {
      const listener = await testListener(t, [webhook(name, kind)])
      const now = listener.clock.now()
      const good = headers(body, 'evt_1', now)
      const other = `whsec_${Buffer.from('another key of many bytes').toString('base64')}`
      assert.deepEqual(await deliver(listener, path, headers(body, 'evt_1', now, other), body), [404, false])
      assert.deepEqual(await deliver(listener, path, good, `${body} `), [404, false])
      assert.deepEqual(await deliver(listener, path, { 'content-type': 'application/json' }, body), [404, false])
      const moved = Object.fromEntries(Object.entries(good).map(([header, value]) => [header, header.includes('signature') || header.includes('timestamp') ? (value as string).replace(String(now.getTime() / 1000), String(now.getTime() / 1000 + 1)) : value]))
      assert.notDeepEqual(moved, good)
      assert.deepEqual(await deliver(listener, path, moved, body), [404, false])
      assert.equal((await listener.counts())[`${name} forged`], 4)
    })

    test('a time of five minutes ago or ahead is taken, one second more is not', async (t) => {
      const listener = await testListener(t, [webhook(name, kind)])
      for (const [ms, taken, id] of [[-minutes(5), true, 'evt_a'], [minutes(5), true, 'evt_b'], [-minutes(5) - 1_000, false, 'evt_c'], [minutes(5) + 1_000, false, 'evt_d']] as const) {
        const text = bodyOf(id)
        assert.deepEqual(await deliver(listener, path, headers(text, id, after(listener, ms)), text), [taken ? 202 : 404, taken], `${ms}`)
      }
      assert.equal((await listener.counts())[`${name} late`], 2)
    })

    test('a second delivery is answered and not stored, also when it was signed anew and much later', async (t) => {
      const listener = await testListener(t, [webhook(name, kind)])
      const first = headers(body, 'evt_1', listener.clock.now())
      await deliver(listener, path, first, body)
      assert.deepEqual(await deliver(listener, path, first, body), [202, false])
      listener.clock.advance(24 * 3_600_000)
      assert.deepEqual(await deliver(listener, path, headers(body, 'evt_1', listener.clock.now()), body), [202, false])
      assert.equal((await listener.counts())[`${name} replayed`], 2)
    })

    test('of ten at once one is stored, and all are answered alike', async (t) => {
      const listener = await testListener(t, [webhook(name, kind)])
      const same = headers(body, 'evt_1', listener.clock.now())
      const answers = await Promise.all(Array.from({ length: 10 }, () => listener.post(path, same, body)))
      assert.deepEqual([answers.map(({ status }) => status), (await listener.events()).length, listener.stored()], [Array.from({ length: 10 }, () => 202), 1, 1])
    })

    test('while a secret is replaced, the old one and the new one count, and a third does not', async (t) => {
      const next = `whsec_${Buffer.from('the next key of many bytes').toString('base64')}`
      const listener = await testListener(t, [webhook(name, kind, { secrets: [{ secret: name }, { secret: 'next' }] })], { secrets: { ...secrets, next } })
      const now = listener.clock.now()
      for (const [id, secret, taken] of [['evt_1', secrets[name], true], ['evt_2', next, true], ['evt_3', `whsec_${Buffer.from('a third key of many bytes').toString('base64')}`, false]] as const) {
        assert.deepEqual(await deliver(listener, path, headers(bodyOf(id), id, now, secret), bodyOf(id)), [taken ? 202 : 404, taken], id)
      }
    })

    test('what is signed and cannot be read is a 400, which nobody else is told', async (t) => {
      const listener = await testListener(t, [webhook(name, kind)])
      for (const text of ['{"id":', `${'['.repeat(70)}${']'.repeat(70)}`]) {
        assert.deepEqual(await deliver(listener, path, headers(text, 'evt_1', listener.clock.now()), text), [400, false])
      }
    })
  })
}

test('Standard Webhooks: one of several signatures will do; an id with a dot, which could be read in two ways, will not', async (t) => {
  const listener = await testListener(t, [webhook('std', 'standard')])
  const at = listener.clock.now()
  const body = '{"type":"a"}'
  const wrong = Buffer.alloc(32).toString('base64')
  assert.deepEqual(await deliver(listener, '/hooks/std', standardHeaders(body, { at, more: `v1,${wrong} v1a,${wrong} nonsense ` }), body), [202, true])
  assert.deepEqual(await deliver(listener, '/hooks/std', standardHeaders(body, { at, id: 'msg.1' }), body), [404, false])
  assert.deepEqual(await deliver(listener, '/hooks/std', { ...standardHeaders(body, { at, id: 'msg_9' }), 'webhook-signature': `v1,${wrong}` }, body), [404, false])
})

describe('GitHub', () => {
  const body = '{"ref":"refs/heads/main","commits":[]}'

  test('what it signed is stored by its delivery and its event', async (t) => {
    const listener = await testListener(t, [webhook('hub', 'github')])
    const delivery = randomUUID()
    assert.deepEqual(await deliver(listener, '/hooks/hub', githubHeaders(body, { delivery }), body), [202, true])
    assert.deepEqual(await listener.events(), [{ source: 'hub', event_id: delivery, type: 'push', body }])
  })

  test('another secret, another byte, or a signature by SHA-1 is a 404', async (t) => {
    const listener = await testListener(t, [webhook('hub', 'github')])
    const good = githubHeaders(body)
    assert.deepEqual(await deliver(listener, '/hooks/hub', githubHeaders(body, { secret: secrets.old }), body), [404, false])
    assert.deepEqual(await deliver(listener, '/hooks/hub', good, `${body} `), [404, false])
    assert.deepEqual(await deliver(listener, '/hooks/hub', { ...good, 'x-hub-signature-256': '', 'x-hub-signature': 'sha1=00' }, body), [404, false])
    assert.deepEqual(await deliver(listener, '/hooks/hub', { ...good, 'x-hub-signature-256': `${good['x-hub-signature-256']}00` }, body), [404, false])
  })

  test('its id is not signed, so the same bytes under another id or as another event are a replay too, a year later as well', async (t) => {
    const listener = await testListener(t, [webhook('hub', 'github')])
    assert.deepEqual(await deliver(listener, '/hooks/hub', githubHeaders(body), body), [202, true])
    listener.clock.advance(365 * 24 * 3_600_000)
    assert.deepEqual(await deliver(listener, '/hooks/hub', githubHeaders(body, { event: 'release' }), body), [202, false])
    assert.equal((await listener.counts())['hub replayed'], 1)
  })

  test('a type that nobody wants is answered, counted and forgotten', async (t) => {
    const listener = await testListener(t, [webhook('hub', 'github', { events: ['push', 'issue*'] })])
    for (const [event, taken] of [['push', true], ['issues', true], ['star', false], ['pushy', false]] as const) {
      const text = `{"of":"${event}"}`
      assert.deepEqual(await deliver(listener, '/hooks/hub', githubHeaders(text, { event }), text), [202, taken], event)
    }
    assert.equal((await listener.counts())['hub unwanted'], 2)
  })
})

describe('Gumroad', () => {
  const ping = (id: string) => `sale_id=${encodeURIComponent(id)}&email=anyone%40example.org&price=0`
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const shop = (api: string): WebhookSettings => ({ ...webhook('shop', 'github'), kind: 'gumroad', token: { secret: 'token' }, api })

  test('a sale is what the API says it is, and not what the ping says', async (t) => {
    const id = 'A-m3CDDC5dlrSdKZp0RFhA=='
    const api = await salesApi(t, { [id]: { id, email: 'levke@example.org', price: 900 } })
    const listener = await testListener(t, [shop(api.url)])
    assert.deepEqual(await deliver(listener, `/hooks/shop/${secrets.shop}`, form, ping(id)), [202, true])
    assert.deepEqual(await listener.events(), [{ source: 'shop', event_id: id, type: 'sale', body: JSON.stringify({ id, email: 'levke@example.org', price: 900 }) }])
    assert.deepEqual(api.asked, [`Bearer ${secrets.token} /v2/sales/${encodeURIComponent(id)}`])
    assert.deepEqual(await deliver(listener, `/hooks/shop/${secrets.shop}`, form, ping(id)), [202, false])
  })

  test('without the last part of the path, or with another, nothing is asked', async (t) => {
    const api = await salesApi(t, { a: { id: 'a' } })
    const listener = await testListener(t, [shop(api.url)])
    for (const path of ['/hooks/shop', '/hooks/shop/', '/hooks/shop/shop-path-secret-1235', `/hooks/shop/${secrets.shop}/x`, `/hooks/shop/${secrets.shop}x`]) {
      assert.deepEqual(await deliver(listener, path, form, ping('a')), [404, false], path)
    }
    assert.deepEqual(api.asked, [])
  })

  test('a sale that is not there, another sale, and a ping that names two or none are refused', async (t) => {
    const api = await salesApi(t, { a: { id: 'a' }, other: { id: 'a' } })
    const listener = await testListener(t, [shop(api.url)])
    const path = `/hooks/shop/${secrets.shop}`
    assert.deepEqual(await deliver(listener, path, form, ping('invented')), [404, false])
    assert.deepEqual(await deliver(listener, path, form, ping('other')), [404, false])
    for (const body of ['', 'sale_id=a&sale_id=b', 'sale_id=../users', 'sale_id=a%2Fb']) assert.deepEqual(await deliver(listener, path, form, body), [400, false], body)
    assert.equal(api.asked.length, 2)
  })

  test('while the API does not answer the sender is told to come again, and a redirect is not followed', async (t) => {
    const api = await salesApi(t, { a: { id: 'a' } })
    const listener = await testListener(t, [shop(api.url)])
    for (const status of [500, 401, 302]) {
      api.down(status)
      assert.deepEqual(await deliver(listener, `/hooks/shop/${secrets.shop}`, form, ping('a')), [503, false], String(status))
    }
    api.down(undefined)
    assert.deepEqual(await deliver(listener, `/hooks/shop/${secrets.shop}`, form, ping('a')), [202, true])
  })
})
