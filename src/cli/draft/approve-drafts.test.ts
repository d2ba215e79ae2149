import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { sampleDraft, stubHouse, type SampleMail, type StubRoutes } from '../../../test/support/cli.ts'
import { challengeOf, createIdentity } from '../../outbox/index.ts'

const holdUntil = new Date(Date.now() + 10_000).toISOString()

async function house(t: TestContext, mails: readonly SampleMail[]) {
  const drafts = await Promise.all(mails.map((mail) => sampleDraft(mail)))
  const routes: StubRoutes = { 'GET /drafts': { data: drafts } }
  for (const draft of drafts) {
    routes[`GET /drafts/${draft.id}`] = { data: draft }
    routes[`POST /drafts/${draft.id}/decide`] = { data: { outcome: 'decided', state: 'held', holdUntil } }
  }
  const stub = await stubHouse(t, { releaser: routes })
  const key = await createIdentity(join(stub.home, 'operator'), { name: 'demonstration', scope: 'demonstration' })
  const decided = () => stub.asked.filter(({ route }) => route.endsWith('/decide')).map(({ route, body }) => ({ id: route.split('/')[2]!, ...(body as { signature: string }) }))
  return { ...stub, drafts, routes, key, decided }
}

test('each hash is signed by itself, of exactly the drafts that were named', async (t) => {
  const { run, drafts, decided, key } = await house(t, [{ subject: 'one' }, { subject: 'two' }, { subject: 'three' }])
  const [one, two] = drafts
  const { exit, json, stderr } = await run(['draft', 'approve', one!.id, two!.id.slice(-8), one!.id, '--yes', '--json'])
  assert.equal(exit, 0, stderr)
  const publicKey = createPublicKey({ key: Buffer.from(key.publicKey, 'base64'), format: 'der', type: 'spki' })
  assert.deepEqual(decided().map(({ id }) => id), [one!.id, two!.id])
  for (const { id, signature } of decided()) {
    const { document } = drafts.find((draft) => draft.id === id)!
    assert(verify(null, challengeOf(document), publicKey, Buffer.from(signature, 'base64')))
  }
  assert.deepEqual(json<{ state: string }[]>().data.map(({ state }) => state), ['held', 'held'])
})

test('high risk is left out of several and says so, exit 7; alone it can be signed', async (t) => {
  const { run, drafts, decided } = await house(t, [{ subject: 'calm' }, { subject: 'risky', risk: 7 }])
  const ids = drafts.map(({ id }) => id)
  const { exit, stdout, stderr } = await run(['draft', 'approve', ...ids, '--yes'])
  assert.equal(exit, 7)
  assert.deepEqual(decided().map(({ id }) => id), [ids[0]])
  assert.match(stderr, new RegExp(`Left out: ${ids[1]!.slice(-8)}, its risk is 7/10: look at it alone \\(castellan draft approve ${ids[1]!.slice(-8)}\\)`))
  assert.match(stdout, new RegExp(`Draft ${ids[0]!.slice(-8)} is held`))
  assert.equal((await run(['draft', 'approve', ids[1]!, '--yes'])).exit, 0)
})

test('one that was decided meanwhile, or is not what it says, keeps no other from it', async (t) => {
  const { run, drafts, routes, decided } = await house(t, [{ subject: 'late' }, { subject: 'forged' }, { subject: 'good' }])
  const [late, forged, good] = drafts
  routes[`POST /drafts/${late!.id}/decide`] = { status: 409, code: 'draft.too_late', message: 'it is denied already' }
  routes[`GET /drafts/${forged!.id}`] = { data: { ...forged!, wire: 'QUJD' } }
  const { exit, json } = await run(['draft', 'approve', ...drafts.map(({ id }) => id), '--yes', '--json'])
  assert.deepEqual([exit, json().error.code], [7, 'draft.left_out'])
  const byId = new Map(json<{ id: string; state: string; why: string | null }[]>().data.map((one) => [one.id, one]))
  assert.match(byId.get(late!.id)!.why!, /denied already/)
  assert.match(byId.get(forged!.id)!.why!, /not those that the document names/)
  assert.deepEqual([byId.get(good!.id)!.state, decided().map(({ id }) => id)], ['held', [late!.id, good!.id]])
})

test('without somebody to ask, with --dry-run, or when all are left out, nothing is signed', async (t) => {
  const { run, drafts, decided } = await house(t, [{ risk: 8 }, { risk: 9 }, {}, {}])
  const ids = drafts.map(({ id }) => id)
  assert.equal((await run(['draft', 'approve', ...ids])).exit, 2)
  assert.equal((await run(['draft', 'approve', ids[2]!, ids[3]!, '--dry-run', '--yes'])).exit, 0)
  assert.equal((await run(['draft', 'approve', ids[0]!, ids[1]!, '--yes'])).exit, 6)
  assert.equal((await run(['draft', 'approve', ids[2]!, ids[3]!, '--wait', '--yes'])).exit, 2)
  assert.deepEqual(decided(), [])
})
