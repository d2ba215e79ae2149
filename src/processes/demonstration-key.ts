import { join } from 'node:path'
import { Fault } from '../kernel/fault.ts'
import { openPool } from '../kernel/http-pool.ts'
import { createIdentity, listIdentities } from '../outbox/operator-identity.ts'

/**
 * Makes the key of a first start and enrols it over the releaser's own socket, so that the first draft can be signed
 * at once. It signs for connectors of kind `file` only. Does nothing where the operator has a key already.
 */
export async function ensureDemonstrationKey(home: string, releaserSocket: string): Promise<boolean> {
  const folder = join(home, 'operator')
  if ((await listIdentities(folder)).length > 0) return false
  const identity = await createIdentity(folder, { name: 'demonstration', scope: 'demonstration' })
  const releaser = openPool('http://releaser', { socketPath: releaserSocket })
  try {
    const { statusCode, body } = await releaser.request({
      path: '/keys/enroll',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(identity.enrolment()),
    })
    const answer = await body.text()
    if (statusCode >= 300) throw new Fault('unavailable', 'key.not_enrolled', `the demonstration key could not be enrolled: ${answer}`)
  } finally {
    await releaser.close()
  }
  return true
}
