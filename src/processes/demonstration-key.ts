import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Fault } from '../kernel/fault.ts'
import { openPool } from '../kernel/http-pool.ts'
import { createIdentity, listIdentities, loadIdentity } from '../outbox/operator-identity.ts'

const name = 'demonstration'
const patienceMs = 15_000

/**
 * Makes the key of a first start and enrols it over the releaser's own socket, so that the first draft can be signed
 * at once. It signs for connectors of kind `file` only. Where the operator has a key of his own nothing is done; where only
 * this one is, it is enrolled again, because the start before may have ended between the two.
 * @returns whether it was made
 */
export async function ensureDemonstrationKey(home: string, releaserSocket: string): Promise<boolean> {
  const folder = join(home, 'operator')
  const known = await listIdentities(folder)
  if (known.some((identity) => identity.name !== name)) return false
  const isNew = known.length === 0
  const identity = isNew ? await createIdentity(folder, { name, scope: 'demonstration' }) : await loadIdentity(folder, name)
  await enrol(releaserSocket, JSON.stringify(identity.enrolment()))
  return isNew
}

/** The releaser may be on its way back from a crash. */
async function enrol(socketPath: string, body: string): Promise<void> {
  const releaser = openPool('http://releaser', { socketPath })
  const deadline = performance.now() + patienceMs
  try {
    for (;;) {
      const answer = await releaser
        .request({ path: '/keys/enroll', method: 'POST', headers: { 'content-type': 'application/json' }, body })
        .then(async ({ statusCode, body: said }) => ({ statusCode, text: await said.text() }), (error: Error) => ({ statusCode: 503, text: error.message }))
      // 409: it was revoked, and stays so
      if (answer.statusCode < 300 || answer.statusCode === 409) return
      if (answer.statusCode !== 503 || performance.now() > deadline) {
        throw new Fault('unavailable', 'key.not_enrolled', `the demonstration key could not be enrolled: ${answer.text}`)
      }
      await delay(100)
    }
  } finally {
    await releaser.close()
  }
}
