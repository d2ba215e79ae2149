import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, describe, test } from 'node:test'
import OpenAI from 'openai'
import { clear, closedCallsOf, gateBoot, gateDatabase, openRun, startFrom } from '../../test/support/gate.ts'
import { startModelServer } from '../../test/support/model-server.ts'
import { defaultAsIs, defaultPolicy, type AsIsPolicy, type Lane, type RedactionPolicy } from '../labels/index.ts'
import { hashOfBody, hashOfKey } from '../models/index.ts'

const near = await startModelServer({ models: [{ name: 'near:latest' }] })
const far = await startModelServer({ models: [{ name: 'far' }] })
after(() => Promise.all([near.close(), far.close()]))
const database = await gateDatabase(['near', 'far'])
await database.owner.pool.query(`update lane set redacts = name = 'open'`)

const letter = 'Please answer: the biopsy confirms the diagnosis, the patient begins chemotherapy on Monday.'
const secret = `use ${['ghp_', 'aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5'].join('')}`

interface Given {
  /** Asks gate local for a cloud model. */
  ask(content: string): Promise<{ text: string | null | undefined; headers: Headers }>
  askCloud(content: string): Promise<void>
  /** Of gate cloud. */
  readonly client: OpenAI
  /** Its address. */
  readonly cloud: string
  readonly key: string
  readonly run: string
}

interface Setting {
  readonly level?: 0 | 1 | 2
  readonly asIs?: Lane['asIs']
  /** Has the operator signed that the cloud model may see P2 of the lane? */
  readonly cleared?: boolean
}

async function withGates(policy: Partial<RedactionPolicy>, withNear: boolean, work: (given: Given) => Promise<void>, { level = 2, asIs, cleared = false }: Setting = {}): Promise<void> {
  const open: Lane = { name: 'open', worker: 'open', cloudClearance: 1, providers: ['near', 'far'], redacts: true, redaction: { ...defaultPolicy, ...policy }, ...(asIs && { asIs }) }
  const models = {
    upstreams: [...(withNear ? [{ name: 'near', kind: 'ollama', url: near.url, zone: 'machine' } as const] : []), { name: 'far', kind: 'openai', url: `${far.url}/v1`, zone: 'cloud' } as const],
    routes: { reason: [{ upstream: 'far', model: 'far' }] }, dictionary: [{ kind: 'client' as const, words: ['Museum am Ufer'] }], lanes: [open],
  }
  await database.owner.pool.query('delete from clearance')
  if (cleared) await clear(database.owner, 'open', 'far', `${far.url}/v1`)
  const cloudBoot = await gateBoot(database, 'gate-cloud', models)
  const cloud = await startFrom(cloudBoot.boot)
  const localBoot = await gateBoot(database, 'gate-local', models)
  const local = await startFrom({ ...localBoot.boot, sockets: { ...localBoot.boot.sockets, gateCloud: cloud.socket } })
  const { key, run } = await openRun(database, 'open', level)
  const [toLocal, toCloud] = [local, cloud].map(({ address }) => new OpenAI({ baseURL: `${address}/v1`, apiKey: key, maxRetries: 0 })) as [OpenAI, OpenAI]
  try {
    await work({
      run, key, cloud: cloud.address, client: toCloud,
      async ask(content) {
        const { data, response } = await toLocal.chat.completions.create({ model: 'task:reason', messages: [{ role: 'user', content }] }).withResponse()
        return { text: data.choices[0]?.message.content, headers: response.headers }
      },
      async askCloud(content) {
        await toCloud.chat.completions.create({ model: 'far/far', messages: [{ role: 'user', content }] })
      },
    })
  } finally {
    await Promise.all([local.stop(), cloud.stop()])
    await Promise.all([localBoot.remove(), cloudBoot.remove()])
  }
}
const isRefusal = (code: string) => (error: unknown) => error instanceof OpenAI.PermissionDeniedError && error.code === code
const unasked = async (work: () => Promise<void>) => {
  const asked = far.calls().length
  await work()
  assert.equal(far.calls().length, asked)
}

test('a doctor’s letter goes to a local model although a cloud model was asked for, and the caller and the ledger are told', async () => {
  await withGates({}, true, ({ ask, run }) => unasked(async () => {
    near.next({ text: ['from near'] })
    const { text, headers } = await ask(letter)
    assert.deepEqual([text, headers.get('x-castellan-upstream'), headers.get('x-castellan-tried')], ['from near', 'near', 'far: redaction_local'])
    assert.deepEqual((await closedCallsOf(database, run)).map(({ upstream, state, reason }) => [upstream, state, reason]), [['far', 'failed', 'redaction_local'], ['near', 'succeeded', null]])
  }))
})

test('without a local model it goes nowhere', async () => {
  await withGates({}, false, ({ ask }) => unasked(() => assert.rejects(ask(letter), (error) => isRefusal('redaction_local')(error) && /health document \(biopsy, diagnosis, patient\)/.test(String(error)))))
})

test('what is blocked is not given to a local model in its place either', async () => {
  await withGates({ documents: { ...defaultPolicy.documents, health: 'block' } }, true, ({ ask }) => unasked(() => assert.rejects(ask(letter), isRefusal('redaction_blocked'))))
  await withGates({}, true, ({ ask }) => unasked(() => assert.rejects(ask(secret), isRefusal('redaction_blocked'))))
})

test('secrets, personal data and the words of the dictionary can be kept near too', async () => {
  for (const [policy, text] of [[{ secrets: 'local' }, secret], [{ personal: 'local' }, 'write to anna@museum.example'], [{ words: 'local' }, 'What does Museum am Ufer owe?']] as const) {
    await withGates(policy, true, ({ ask }) => unasked(async () => assert.equal((await ask(text)).headers.get('x-castellan-upstream'), 'near', text)))
  }
})

test('what a policy lets go, goes', async () => {
  await withGates({ documents: { ...defaultPolicy.documents, health: 'redact' } }, true, async ({ ask }) => {
    assert.equal((await ask(`${letter} Write to anna@museum.example.`)).headers.get('x-castellan-upstream'), 'far')
    assert.match(far.calls().at(-1)!.body.toString(), /biopsy.*\[\[MAIL_ADDRESS_1\]\]/)
  })
})

test('a gate local that was taken over gets none of it past gate cloud, which has the policy too', async () => {
  await withGates({ words: 'local' }, true, ({ key, cloud }) => unasked(async () => {
    for (const content of [letter, 'What does [[CLIENT_1]] owe?', 'What does Museum am Ufer owe?']) {
      const body = { model: 'far/far', messages: [{ role: 'user', content }] }
      const id = randomUUID()
      await database.as('castellan_gate_local').pool.query(`select declassify($1, $2, 'taken over', $3, $4, 2::smallint, '{}', '1 hour')`, [id, hashOfKey(key), hashOfBody({}), hashOfBody(body)])
      const response = await fetch(`${cloud}/v1/chat/completions`, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'x-castellan-declassification': id }, body: JSON.stringify(body) })
      assert.deepEqual([response.status, ((await response.json()) as { error: { code: string } }).error.code], [403, 'redaction_incomplete'], content)
    }
  }))
})

describe('what a cloud model may have as it is, by its label', () => {
  const asIs = (level: 0 | 1, policy: Partial<AsIsPolicy>) => ({ [level]: { ...defaultAsIs, ...policy } })
  const dear = 'What does Museum am Ufer owe?'

  test('no secret goes along unless its lane lets it pass, at that level', async () => {
    await withGates({}, true, async ({ askCloud, run }) => {
      await unasked(() => assert.rejects(askCloud(secret), (error) => isRefusal('text_blocked')(error) && /github/i.test(String(error))))
      assert.deepEqual((await closedCallsOf(database, run)).map(({ state, reason }) => [state, reason]), [['refused', 'text_blocked; set: far']])
    }, { level: 1 })
    await withGates({}, true, async ({ askCloud }) => void (await askCloud(secret)), { level: 1, asIs: asIs(1, { secrets: 'pass' }) })
    assert.match(far.calls().at(-1)!.body.toString(), /ghp_/)
    await withGates({}, true, ({ askCloud }) => unasked(() => assert.rejects(askCloud(secret), isRefusal('text_blocked'))), { level: 1, asIs: asIs(0, { secrets: 'pass' }) })
  })

  test('personal data, words of the dictionary and documents pass, unless the lane says else', async () => {
    await withGates({}, true, async ({ askCloud }) => {
      for (const text of [letter, dear, 'write to anna@museum.example']) {
        await askCloud(text)
        assert.ok(far.calls().at(-1)!.body.includes(text))
      }
    }, { level: 1 })
    for (const [policy, text] of [[{ words: 'block' }, dear], [{ personal: 'block' }, 'write to anna@museum.example'], [{ documents: { ...defaultAsIs.documents, health: 'block' } }, letter]] as const) {
      await withGates({}, true, ({ askCloud }) => unasked(() => assert.rejects(askCloud(text), isRefusal('text_blocked'), text)), { level: 1, asIs: asIs(1, policy) })
    }
  })

  test('what is for local models is answered by one where the gate has one, and the ledger says why', async () => {
    await withGates({}, true, ({ ask, askCloud, run }) => unasked(async () => {
      near.next({ text: ['from near'] })
      const { text, headers } = await ask(dear)
      assert.deepEqual([text, headers.get('x-castellan-tried')], ['from near', 'far: text_local'])
      await assert.rejects(askCloud(dear), isRefusal('text_local'))
      assert.deepEqual((await closedCallsOf(database, run)).map(({ upstream, state, reason }) => [upstream, state, reason]), [[null, 'refused', 'text_local; set: near, far'], ['near', 'succeeded', null], [null, 'refused', 'text_local; set: far']])
    }), { level: 2, cleared: true, asIs: { 2: { ...defaultAsIs, words: 'local' } } })
  })

  test('pictures are not read as text, and vectors and counts are judged as answers are', async () => {
    await withGates({}, true, async ({ client }) => {
      await unasked(async () => {
        await assert.rejects(client.embeddings.create({ model: 'far/far', input: secret }), isRefusal('text_blocked'))
      })
    }, { level: 1 })
    const picture = `data:image/png;base64,${Buffer.alloc(60_000, secret).toString('base64')}`
    await withGates({}, true, async ({ client }) => {
      await client.chat.completions.create({ model: 'far/far', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: picture } }] }] })
      assert.ok(far.calls().at(-1)!.body.includes(picture))
    }, { level: 1 })
  })
})
