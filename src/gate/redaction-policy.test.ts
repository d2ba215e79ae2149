import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import OpenAI from 'openai'
import { closedCallsOf, gateBoot, gateDatabase, openRun, startFrom } from '../../test/support/gate.ts'
import { startModelServer } from '../../test/support/model-server.ts'
import { defaultPolicy, type Lane, type RedactionPolicy } from '../labels/index.ts'
import { hashOfBody, hashOfKey } from '../models/index.ts'

const near = await startModelServer({ models: [{ name: 'near:latest' }] })
const far = await startModelServer({ models: [{ name: 'far' }] })
after(() => Promise.all([near.close(), far.close()]))
const database = await gateDatabase(['near', 'far'])
await database.owner.pool.query(`update lane set redacts = name = 'open'`)

const letter = 'Please answer: the biopsy confirms the diagnosis, the patient begins chemotherapy on Monday.'
const secret = `use ${['ghp_', 'aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5'].join('')}`

async function withGates(policy: Partial<RedactionPolicy>, withNear: boolean, work: (given: { ask: (content: string) => Promise<{ text: string | null | undefined; headers: Headers }>; run: string; key: string; cloud: string }) => Promise<void>): Promise<void> {
  const open: Lane = { name: 'open', worker: 'open', cloudClearance: 1, providers: ['near', 'far'], redacts: true, redaction: { ...defaultPolicy, ...policy } }
  const models = {
    upstreams: [...(withNear ? [{ name: 'near', kind: 'ollama', url: near.url, zone: 'machine' } as const] : []), { name: 'far', kind: 'openai', url: `${far.url}/v1`, zone: 'cloud' } as const],
    routes: { reason: [{ upstream: 'far', model: 'far' }] }, dictionary: [{ kind: 'client' as const, words: ['Museum am Ufer'] }], lanes: [open],
  }
  const cloudBoot = await gateBoot(database, 'gate-cloud', models)
  const cloud = await startFrom(cloudBoot.boot)
  const localBoot = await gateBoot(database, 'gate-local', models)
  const local = await startFrom({ ...localBoot.boot, sockets: { ...localBoot.boot.sockets, gateCloud: cloud.socket } })
  const { key, run } = await openRun(database, 'open', 2)
  const client = new OpenAI({ baseURL: `${local.address}/v1`, apiKey: key, maxRetries: 0 })
  try {
    await work({
      run, key, cloud: cloud.address,
      async ask(content) {
        const { data, response } = await client.chat.completions.create({ model: 'task:reason', messages: [{ role: 'user', content }] }).withResponse()
        return { text: data.choices[0]?.message.content, headers: response.headers }
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
