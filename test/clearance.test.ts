import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { runCli } from '../src/cli/program.ts'
import { enrolmentChallenge, keyIdOf, signChallenge } from '../src/outbox/signature.ts'
import type { RunDetail } from '../src/server/api.ts'
import { startModelServer } from './support/model-server.ts'
import { runningHouse, type RunningHouse } from './support/running-house.ts'

const secret = 'The offer to Ferreira is EUR 48,000.'
const job = `
summary: Asks about what a client wrote
lane: client
label: P2
steps:
  - { id: answer, uses: model.ask, with: { task: reason, prompt: "${secret}" } }
`

/** What the terminal would run, on the sockets of this house. */
async function cli(house: RunningHouse, ...argv: string[]): Promise<{ exit: number; data: Record<string, unknown>[] & Record<string, string>; error?: { code: string } }> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const exit = await runCli([...argv, '--json', '--home', house.home], { stdin, stdout, stderr, env: { ...process.env, CASTELLAN_HOME: house.home } } as never)
  const said = JSON.parse(String(stdout.read() ?? '{}'))
  return { exit, data: said.data, error: said.error }
}

/** The operator with a key of his own at the terminal. */
async function operatorOf(house: RunningHouse) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const text = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const proof = signChallenge(privateKey, enrolmentChallenge(text, 'operator', 'desk'))
  await house.call('releaser', 'POST', '/keys/enroll', { publicKey: text, scope: 'operator', name: 'desk', signature: proof })
  return async (draft: string) => {
    const { challenge } = await house.call<{ challenge: string }>('releaser', 'GET', `/drafts/${draft}`)
    await house.call('releaser', 'POST', `/drafts/${draft}/decide`, { verdict: 'approve', keyId: keyIdOf(text), signature: signChallenge(privateKey, Buffer.from(challenge, 'hex')) })
  }
}

test('from lane clear to a P2 call that reaches exactly the one provider, and after lane unclear no more', { timeout: 240_000 }, async (t) => {
  const [far, other] = await Promise.all([startModelServer({ models: [{ name: 'far' }], key: 'sk-far' }), startModelServer({ models: [{ name: 'other' }], key: 'sk-other' })])
  t.after(() => Promise.all([far.close(), other.close()]))
  const house = await runningHouse(t, {
    jobs: { 'client.yaml': job },
    edit: (yaml) => yaml
      .replace('  open: { worker: open, cloud_clearance: P1 }', '  client: { worker: open, cloud_clearance: P1, providers: [other, far] }\n  open: { worker: open, cloud_clearance: P1 }')
      .replace(/ {4}ollama: .*/, `    far: { kind: openai, url: "${far.url}/v1", zone: cloud, key: { secret: FAR } }\n    other: { kind: openai, url: "${other.url}/v1", zone: cloud, key: { secret: OTHER } }\n    box: { kind: ollama, url: "http://192.0.2.9:11434", zone: machine, own: true }`)
      .replace(/ {4}default: .*\n {4}summarize: .*/, '    default: [{ upstream: other, model: other }]\n    reason: [{ upstream: other, model: other }, { upstream: far, model: far }]')
      .replace(/ {2}# budgets: .*/, '  allow_unknown_price: true')
      .replace('hold: 10s', 'hold: 1s'),
    prepare: (home) => {
      mkdirSync(join(home, 'secrets'), { mode: 0o700, recursive: true })
      for (const [name, key] of [['FAR', 'sk-far'], ['OTHER', 'sk-other']] as const) writeFileSync(join(home, 'secrets', name), key, { mode: 0o600 })
    },
  })
  const ask = async () => {
    const { id } = await house.call<{ id: string }>('server', 'POST', '/api/jobs/client/run')
    return house.call<RunDetail>('server', 'GET', `/api/runs/${id}?wait=60`)
  }
  const modelOf = ({ steps }: RunDetail) => (steps[0]!.output as { model?: string } | null)?.model
  const release = async (draft: string) => {
    for (const deadline = Date.now() + 30_000; ; await delay(100)) {
      const { state } = await house.call<{ state: string }>('releaser', 'GET', `/drafts/${draft}`)
      if (state === 'released') return
      assert.ok(['held', 'releasing'].includes(state) && Date.now() < deadline, state)
    }
  }

  const sign = await operatorOf(house)
  const proposed = await cli(house, 'lane', 'clear', 'client', '--upstream', 'far', '--level', 'P2', '--expires', '30d')
  assert.equal(proposed.exit, 0, JSON.stringify(proposed.error))
  const shown = JSON.stringify((await cli(house, 'draft', 'show', proposed.data['draft']!)).data)
  for (const words of ['Let far see P2 internal of lane client', `far at ${far.url}/v1`, 'Runs in the lane: client']) assert.ok(shown.includes(words), words)
  assert.deepEqual((await cli(house, 'draft', 'list')).data.map(({ kind }) => kind), ['lane.clear'])
  assert.equal(modelOf(await ask()), undefined, 'a proposal clears nothing')
  await sign(proposed.data['draft']!)
  await release(proposed.data['draft']!)

  const answered = await ask()
  assert.equal(answered.state, 'succeeded', JSON.stringify(answered.error))
  assert.match(answered.executor!, /^worker-private@/)
  assert.equal(modelOf(answered), 'far/far')
  assert.ok(far.calls().at(-1)!.body.includes(secret))
  assert.deepEqual((await cli(house, 'lane', 'clearances')).data.map(({ lane, upstream, state }) => [lane, upstream, state]), [['client', 'far', 'good']])

  const asked = far.calls().length
  assert.equal((await cli(house, 'lane', 'unclear', 'client', '--upstream', 'far', '--yes')).exit, 0)
  assert.equal(modelOf(await ask()), undefined)
  assert.equal(far.calls().length, asked)
  assert.ok(!other.bytes().includes(secret))
  assert.equal((await cli(house, 'lane', 'unclear', 'client', '--upstream', 'far', '--yes')).error?.code, 'clearance.missing')

  assert.deepEqual((await cli(house, 'status')).data['unsigned_machines'], ['box'])
  const own = await cli(house, 'model', 'own', 'box')
  await sign(own.data['draft']!)
  await release(own.data['draft']!)
  assert.deepEqual((await cli(house, 'status')).data['unsigned_machines'], [])
  const settings = join(house.folder, 'castellan.yaml')
  writeFileSync(settings, readFileSync(settings, 'utf8').replace('192.0.2.9', '192.0.2.10'))
  assert.equal((await cli(house, 'reload')).exit, 0)
  assert.deepEqual((await cli(house, 'status')).data['unsigned_machines'], ['box'], 'another address is another machine')
  assert.equal((await cli(house, 'model', 'disown', 'box', '--yes')).exit, 0)

  writeFileSync(settings, readFileSync(settings, 'utf8').replace('client: { worker: open, cloud_clearance: P1', 'client: { worker: open, cloud_clearance: P2'))
  assert.notEqual((await cli(house, 'reload')).exit, 0, 'castellan.yaml cannot say it by itself')
})
