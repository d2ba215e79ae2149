import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { gateBoot, gateDatabase, openRun, startFrom } from './support/gate.ts'
import { startModelServer } from './support/model-server.ts'

// Every kind that a detector or the dictionary knows, on three wires, to two kinds of cloud upstream: it is taken out, or the call is refused.

const far = await startModelServer({ models: [{ name: 'far' }] })
const claude = await startModelServer({ models: [{ name: 'claude' }] })
const database = await gateDatabase(['far', 'claude'])
await database.owner.pool.query(`update lane set redacts = name = 'open'`)
const models = {
  upstreams: [{ name: 'far', kind: 'openai', url: `${far.url}/v1`, zone: 'cloud' }, { name: 'claude', kind: 'anthropic', url: `${claude.url}/v1`, zone: 'cloud' }],
  routes: { far: [{ upstream: 'far', model: 'far' }], claude: [{ upstream: 'claude', model: 'claude' }] },
  dictionary: [{ kind: 'client', words: ['Quellenhof Zulu'] }],
} as const
const cloudBoot = await gateBoot(database, 'gate-cloud', models)
const cloud = await startFrom(cloudBoot.boot)
const localBoot = await gateBoot(database, 'gate-local', models)
const local = await startFrom({ ...localBoot.boot, sockets: { ...localBoot.boot.sockets, gateCloud: cloud.socket } })
after(async () => {
  await Promise.all([local.stop(), cloud.stop()])
  await Promise.all([localBoot.remove(), cloudBoot.remove(), far.close(), claude.close()])
})

const takenOut: readonly [value: string, text: string][] = [
  ['anna@museum.example', 'write to anna@museum.example'], ['DE89 3704 0044 0532 0130 00', 'pay DE89 3704 0044 0532 0130 00'], ['4111 1111 1111 1111', 'card 4111 1111 1111 1111'], ['1973-05-19', 'She was born 1973-05-19'],
  ['19. März 1973', 'geboren am 19. März 1973'], ['2001:db8:77::f00d', 'at 2001:db8:77::f00d'], ['192.168.7.21', 'at 192.168.7.21'], ['00:1A:2B:3C:4D:5E', 'card 00:1A:2B:3C:4D:5E'], ['(415) 555-0187', 'call (415) 555-0187'],
  ['+49 30 1234567', 'call +49 30 1234567'], ['86095742719', 'Steuer-ID 86095742719'], ['15 070649 C 103', 'SV-Nummer 15 070649 C 103'], ['1237 010180', 'SV 1237 010180'], ['756.9217.0769.85', 'AHV 756.9217.0769.85'],
  ['JG 10 37 59 A', 'NI number JG 10 37 59 A'], ['943 476 5919', 'NHS 943 476 5919'], ['219-09-9761', 'SSN 219-09-9761'], ['912-78-1234', 'ITIN 912-78-1234'], ['123 456 782', 'TFN 123 456 782'], ['2123 45670 1', 'Medicare 2123 45670 1'],
  ['L01X00T471', 'Personalausweis L01X00T471'], ['Quellenhof Zulu', 'for QUELLENHOF ZULU’s and Quellenhof Zulu'],
]
const refused: readonly [value: string, text: string][] = [
  ['cXVlbGxlOm9mZmVu', 'Authorization: Basic cXVlbGxlOm9mZmVu'], ['hOrSeBaTTerYqX', 'password=hOrSeBaTTerYqX'], ['qZrLmXvTnBkWsYdPqZr', 'Authorization: Bearer qZrLmXvTnBkWsYdPqZr'],
]

const asked = () => far.calls().length + claude.calls().length
const sent = () => [far, claude].map((server) => server.bytes().toString('utf8')).join('\n')

for (const stream of [false, true]) {
  test(`what is known is taken out of every wire, or stops the call, ${stream ? 'streamed' : 'whole'}`, async () => {
    const { key } = await openRun(database, 'open', 2)
    const post = (address: string, body: object, path: string) =>
      fetch(`${address}${path}`, { method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'cache-control': 'no-store' }, body: JSON.stringify({ stream, ...body }) }).then((response) => response.text())
    for (const [kinds, isHandedOn] of [[takenOut, true], [refused, false]] as const) {
      for (const [value, text] of kinds) {
        const before = asked()
        for (const model of ['far/far', 'claude/claude']) {
          const user = { role: 'user', content: `${text}, please` }
          const turns = [user, { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: { note: text } }] }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: text }] }]
          await post(local.address, { model, messages: [{ role: 'system', content: text }, user] }, '/v1/chat/completions')
          await post(local.address, { model, instructions: text, input: `${text}, please` }, '/v1/responses')
          await post(local.address, { model, max_tokens: 50, system: text, messages: turns }, '/v1/messages')
          // as a worker that was taken over would
          await post(cloud.address, { model, max_tokens: 50, messages: [user] }, '/v1/messages')
        }
        assert.equal(asked() - before, isHandedOn ? 6 : 0, text)
        assert.ok(!sent().toLowerCase().includes(value.toLowerCase()), value)
      }
    }
  })
}
