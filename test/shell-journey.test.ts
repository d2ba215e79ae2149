import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { enrolmentChallenge, keyIdOf, signChallenge } from '../src/outbox/signature.ts'
import { runningHouse } from './support/running-house.ts'

const job = `
summary: Looks for old drafts and asks to remove them
lane: private
steps:
  - { id: look, uses: shell.run, with: { argv: [/usr/bin/nice, /usr/bin/find, ., -name, "*.old"], folders: [desk], cwd: desk } }
  - id: ask
    uses: outbox.propose
    with:
      connector: chores
      proposals: [ { key: old, kind: shell.act, folder: desk, argv: [/usr/bin/rm, -r, "{{ steps.look.output.stdout | strip }}"] } ]
`

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + 60_000; ; await delay(100)) {
    const found = await look()
    if (found !== undefined) return found
    assert(Date.now() < deadline, `${what} did not come`)
  }
}

test('a job looks by a command in the sandbox, asks to remove what it found, and the operator’s signature removes exactly that', {
  timeout: 180_000, skip: existsSync('/usr/bin/bwrap') ? false : 'bubblewrap is missing: apt install bubblewrap',
}, async (t) => {
  const house = await runningHouse(t, {
    jobs: { 'tidy.yaml': job },
    edit: (yaml) => yaml
      .replace('folders:\n', 'folders:\n  desk: { path: desk, access: write, label: P1 }\n')
      .replace('  connectors:\n', '  connectors:\n    chores: { kind: shell, folders: [desk], allow: [/usr/bin/rm] }\n')
      .replace('allow: [/usr/bin/du]', 'allow: [/usr/bin/du, /usr/bin/nice, /usr/bin/find]')
      .replace('hold: 10s', 'hold: 1s')
      .concat('\nisolation: { accept_demonstration: true }\n'),
    prepare(home) {
      const desk = join(home, 'house', 'desk')
      mkdirSync(join(desk, 'letters.old'), { recursive: true })
      writeFileSync(join(desk, 'letters.old', 'a.txt'), 'A')
      writeFileSync(join(desk, 'kept.txt'), 'kept')
      // as the recipe says: what the releaser removes has to be writable for its group
      chmodSync(join(desk, 'letters.old'), 0o777)
    },
  })
  const desk = join(house.folder, 'desk')
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const text = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  await house.call('releaser', 'POST', '/keys/enroll', { publicKey: text, scope: 'operator', name: 'desk', signature: signChallenge(privateKey, enrolmentChallenge(text, 'operator', 'desk')) })
  const { id: run } = await house.call<{ id: string }>('server', 'POST', '/api/jobs/tidy/run')
  const proposed = await until('a draft', async () => {
    const { state, error } = await house.call<{ state: string; error?: unknown }>('server', 'GET', `/api/runs/${run}`)
    assert(!['dead', 'failed'].includes(state), `the run is ${state}: ${JSON.stringify(error)}`)
    return (await house.call<{ id: string }[]>('releaser', 'GET', '/drafts'))[0]
  })
  const draft = await house.call<{ challenge: string; text: string; risk: number; kind: string }>('releaser', 'GET', `/drafts/${proposed.id}`)
  assert.deepEqual([draft.kind, draft.risk >= 7], ['shell.act', true])
  assert.match(draft.text, /\n2 gone, 0 changed, 1 bytes; .*\n\nletters\.old\/ {2}gone\nletters\.old\/a\.txt {2}gone, was 1 bytes/)
  assert.deepEqual(readdirSync(desk).sort(), ['kept.txt', 'letters.old'])
  await house.call('releaser', 'POST', `/drafts/${proposed.id}/decide`, { verdict: 'approve', keyId: keyIdOf(text), signature: signChallenge(privateKey, Buffer.from(draft.challenge, 'hex')) })
  const state = await until('the end', async () => {
    const { state } = await house.call<{ state: string }>('releaser', 'GET', `/drafts/${proposed.id}`)
    return ['released', 'failed', 'unknown'].includes(state) ? state : undefined
  })
  assert.deepEqual([state, readdirSync(desk)], ['released', ['kept.txt']])
  assert.equal((await house.call<{ ok: boolean }>('releaser', 'GET', '/audit/verify')).ok, true)
})
