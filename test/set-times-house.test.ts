import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { runCli } from '../src/cli/program.ts'
import { runningHouse, type RunningHouse } from './support/running-house.ts'
import { botToken } from './support/telegram-api.ts'

const job = `
summary: Proposes a mail
lane: private
steps:
  - id: propose
    uses: outbox.propose
    with: { connector: file, proposals: [{ key: one, kind: mail, to: [eva@example.org], subject: Later, text: Hello }] }
`

/** What the terminal would run, on the sockets of this house. */
async function cli(house: RunningHouse, ...argv: string[]) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const exit = await runCli([...argv, '--json', '--home', house.home], { stdin, stdout, stderr, env: { ...process.env, CASTELLAN_HOME: house.home } } as never)
  // what a command says is looked at field by field
  // eslint-disable-next-line typescript/no-explicit-any
  const said = JSON.parse(String(stdout.read() ?? '{}')) as { data: any; error?: { code: string } }
  return { exit, ...said }
}

test('in a running house a mail is signed for three seconds later and leaves then; an order is proposed, and takes a passkey; the outbox says that it is open', { timeout: 240_000 }, async (t) => {
  const house = await runningHouse(t, {
    jobs: { 'later.yaml': job },
    edit: (yaml) => yaml
      .replace('hold: 10s', 'hold: 100ms')
      .replace(/^ {2}connectors:$/m, '  connectors:\n    me: { kind: telegram, chat: "4711", token: { secret: BOT } }')
      .replace(/^outbox:$/m, 'isolation: { accept_demonstration: true }\noutbox:'),
    prepare: (home) => {
      mkdirSync(join(home, 'secrets'), { mode: 0o700, recursive: true })
      writeFileSync(join(home, 'secrets', 'BOT'), botToken, { mode: 0o600 })
    },
  })
  const { id: run } = await house.call<{ id: string }>('server', 'POST', '/api/jobs/later/run')
  await house.call('server', 'GET', `/api/runs/${run}?wait=60`)
  const draft = await (async () => {
    for (;;) {
      const [one] = (await cli(house, 'draft', 'list')).data as { id: string; kind: string }[]
      if (one) return one.id
    }
  })()
  const asked = Date.now()
  const { exit, data, error } = await cli(house, 'draft', 'approve', draft, '--at', '3s', '--yes', '--wait')
  assert.equal(exit, 0, JSON.stringify(error))
  assert.equal(data.state, 'released')
  assert.notEqual(data.id, draft)
  assert(Date.now() - asked >= 3_000, `it left after ${Date.now() - asked} ms`)
  assert.deepEqual(readdirSync(join(house.folder, 'outbox')).filter((name) => name.endsWith('.eml')), [`${data.id}.eml`])
  assert.equal((await cli(house, 'draft', 'show', draft)).data.state, 'replaced')

  assert.deepEqual((await cli(house, 'outbox', 'status')).data.state, 'open')
  assert.equal((await cli(house, 'outbox', 'resume')).error?.code, 'outbox.open')
  assert.equal((await cli(house, 'status')).data.fence, null)
  assert.deepEqual((await cli(house, 'doctor')).data.find((one: { id: string }) => one.id === 'outbox').status, 'ok')
  const propose = (kind: string, connector: string) => cli(house, 'order', 'propose', 'mine', '--kind', kind, '--connector', connector, '--per-day', '5')
  assert.match(JSON.stringify((await propose('telegram.message', 'file')).error), /connector file carries nothing of kind telegram\.message/)
  const order = (await propose('telegram.message', 'me')).data.draft as string
  assert.match((await cli(house, 'draft', 'show', order)).data.text, /as the order mine:[^]*the chat 4711 in Telegram, which you say is your own[^]*Until: you take it back/)
  const signed = await cli(house, 'draft', 'approve', order, '--yes')
  assert.deepEqual([signed.exit, signed.error?.code], [4, 'draft.passkey_needed'])
  assert.deepEqual((await cli(house, 'order', 'list')).data, [])
})
