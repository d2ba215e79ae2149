import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { House } from '../house/index.ts'
import { processNames, type ProcessName } from './boot.ts'
import type { SupervisedProcess } from './supervise.ts'
import { takeSecrets, type Taken } from './take-secrets.ts'

const settings = {
  secrets: [], database: { kind: 'urls', urls: { owner: { secret: 'owner' } } }, telemetry: { traces: null }, mail: { accounts: [] },
  models: { upstreams: [{ zone: 'cloud', key: { secret: 'far' } }], routes: {} }, webhooks: [{ kind: 'github', secrets: [{ secret: 'shared' }] }], sources: [],
  outbox: { connectors: [{ kind: 'webhook', secret: { secret: 'shared' } }] },
}

function desk(t: TestContext, units = false) {
  const home = mkdtempSync(join(tmpdir(), 'castellan-take-'))
  t.after(() => rmSync(home, { recursive: true }))
  mkdirSync(join(home, 'secrets'), { mode: 0o700 })
  for (const name of ['far', 'shared', 'owner']) writeFileSync(join(home, 'secrets', name), 'x', { mode: 0o600 })
  const happened: string[] = []
  const processes = new Map(processNames.map((name) => [name, { state: { state: 'ready' }, on() {}, off() {}, restart: async () => void happened.push(name) } as unknown as SupervisedProcess] as [ProcessName, SupervisedProcess]))
  let taken: Taken | undefined
  const take = (...names: string[]) => takeSecrets(names, { home, processes, units, house: () => ({ settings }) as unknown as House }, (answer) => {
    happened.push('answered')
    taken = answer
  })
  return { home, happened, take, taken: () => taken! }
}

test('who is given a secret is started anew, nobody else; the server comes last, when it has its answer', async (t) => {
  const { happened, take, taken } = desk(t)
  await take('shared')
  assert.deepEqual([happened, taken().restarted, taken().needs_start], [['releaser', 'answered', 'server'], ['server', 'releaser'], false])
  happened.length = 0
  await take('owner', 'nobody-has-this')
  assert.deepEqual([happened, taken().restarted, taken().needs_start], [['answered'], [], true])
  assert.deepEqual(taken().report.states.map(({ name, usedBy }) => [name, usedBy]), [['far', ['gate-cloud']], ['owner', ['up']], ['shared', ['server', 'releaser']]])
})

test('nobody is stopped for a secret that cannot be handed over', async (t) => {
  const { home, happened, take } = desk(t)
  chmodSync(join(home, 'secrets', 'shared'), 0o644)
  await assert.rejects(take('shared'), { code: 'secret.mode', message: /run `chmod 600/ })
  assert.deepEqual(happened, [])
})

test('where the system hands secrets to units the home is not looked at: who is given one is started anew, and nothing is said of any', async (t) => {
  const { home, happened, take, taken } = desk(t, true)
  chmodSync(join(home, 'secrets', 'shared'), 0o644)
  await take('shared')
  assert.deepEqual([happened, taken().report], [['releaser', 'answered', 'server'], { states: [], problem: null, unseen: true }])
})
