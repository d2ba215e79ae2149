import { text } from 'node:stream/consumers'
import { systemClock } from '../kernel/clock.ts'
import { toFault } from '../kernel/fault.ts'
import { request } from '../kernel/node-http.ts'
import { forgetPrevious, openRecords, openSecretFolder } from '../secrets/index.ts'

/** Hands to the audit what was done with secrets while no house ran. What cannot be handed over stays noted for the next start. @throws Fault `secrets.busy` */
export async function recordSecretActs(home: string, serverSocket: string): Promise<void> {
  const folder = openSecretFolder(home)
  const records = openRecords(folder)
  if (records.unrecorded().length === 0) return
  // each writes all of the records: a rotation that goes on meanwhile would lose what it noted
  await folder.exclusively(async () => {
    const acts = records.unrecorded().slice(0, 200)
    if (acts.length > 0) records.recorded(await post(serverSocket, JSON.stringify({ acts })))
  })
}

/** Values that were kept for a day so that a rotation could be undone. */
export async function forgetOldSecrets(home: string): Promise<void> {
  const folder = openSecretFolder(home)
  if (folder.previous().length === 0) return
  try {
    await folder.exclusively(async () => forgetPrevious({ folder, records: openRecords(folder), clock: systemClock }))
  } catch (error) {
    if (toFault(error).code !== 'secrets.busy') throw error // it forgets them itself
  }
}

function post(socketPath: string, body: string): Promise<string[]> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const asked = request({ socketPath, path: '/api/secrets/acts', method: 'POST', headers, timeout: 5_000, agent: false }, (response) => {
      text(response).then((answer) => resolve((JSON.parse(answer) as { data?: { ids: string[] } }).data?.ids ?? [])).catch(() => resolve([]))
    })
    asked.on('timeout', () => asked.destroy())
    asked.on('error', () => resolve([]))
    asked.end(body)
  })
}
