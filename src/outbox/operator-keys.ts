import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { Fault } from '../kernel/fault.ts'
import { replaceFile } from './durable-file.ts'
import { enrolmentChallenge, keyIdOf, verifySignature, type KeyScope } from './signature.ts'

const keySchema = z.strictObject({
  id: z.string(),
  public_key: z.string().describe('Ed25519, SPKI DER in base64'),
  scope: z.enum(['operator', 'demonstration']),
  name: z.string(),
  enrolled_at: z.iso.datetime(),
  revoked_at: z.iso.datetime().nullable(),
})
const fileSchema = z.strictObject({ version: z.literal(1), keys: z.array(keySchema) })

export type OperatorKey = z.infer<typeof keySchema>

export interface Enrolment {
  readonly publicKey: string
  readonly scope: KeyScope
  readonly name: string
  /** By the new key, over `enrolmentChallenge`; base64. */
  readonly signature: string
}

export interface Changed {
  readonly key: OperatorKey
  /** False when it was so before. */
  readonly fresh: boolean
}

/** The keys whose signature releases, in a file that only the releaser owns. */
export interface OperatorKeys {
  list(): Promise<readonly OperatorKey[]>
  find(id: string): Promise<OperatorKey | undefined>
  enrol(enrolment: Enrolment, now: Date): Promise<Changed>
  revoke(id: string, now: Date): Promise<Changed>
}

/** Opens the file of enrolled keys in the releaser's folder. Read anew for each question, so that what is revoked counts at once. */
export function openOperatorKeys(folder: string): OperatorKeys {
  const path = join(folder, 'operator-keys.json')
  let last: Promise<unknown> = Promise.resolve()

  /** One change after the other. */
  function change(work: (keys: OperatorKey[]) => { keys?: OperatorKey[]; result: Changed }): Promise<Changed> {
    const turn = last.then(async () => {
      const { keys, result } = work(await readKeys(path))
      if (keys) await replaceFile(path, `${JSON.stringify({ version: 1, keys }, null, 2)}\n`)
      return result
    })
    last = turn.catch(() => {})
    return turn
  }

  return {
    list: () => readKeys(path),
    find: async (id) => (await readKeys(path)).find((key) => key.id === id),
    enrol: ({ publicKey, scope, name, signature }, now) =>
      change((keys) => {
        const id = keyIdOf(publicKey)
        if (!verifySignature(publicKey, enrolmentChallenge(publicKey, scope, name), Buffer.from(signature, 'base64'))) {
          throw new Fault('refused', 'key.proof', `the proof for key ${id} does not verify: sign the enrolment of exactly this key, scope and name with it`)
        }
        const known = keys.find((key) => key.id === id)
        if (known && (known.revoked_at !== null || known.scope !== scope)) {
          throw new Fault('conflict', 'key.known', known.revoked_at === null
            ? `key ${id} is enrolled already, as ${known.scope} key; make a new key for another scope`
            : `key ${id} was revoked on ${known.revoked_at}; make a new key`)
        }
        if (known) return { result: { key: known, fresh: false } }
        const key: OperatorKey = { id, public_key: publicKey, scope, name, enrolled_at: now.toISOString(), revoked_at: null }
        return { keys: [...keys, key], result: { key, fresh: true } }
      }),
    revoke: (id, now) =>
      change((keys) => {
        const known = keys.find((key) => key.id === id)
        if (!known) throw new Fault('missing', 'key.missing', `no key ${id} is enrolled`)
        if (known.revoked_at !== null) return { result: { key: known, fresh: false } }
        const key = { ...known, revoked_at: now.toISOString() }
        return { keys: keys.map((other) => (other === known ? key : other)), result: { key, fresh: true } }
      }),
  }
}

/** May this key release through a connector of that kind? Says why not, or nothing. */
export function scopeRefusal(key: Pick<OperatorKey, 'id' | 'scope' | 'revoked_at'>, connectorKind: string): string | undefined {
  if (key.revoked_at !== null) return `key ${key.id} was revoked on ${key.revoked_at}`
  if (key.scope === 'demonstration' && connectorKind !== 'file') {
    return `key ${key.id} is a demonstration key: it signs for connectors of kind file only, not ${connectorKind}; enrol a key of your own`
  }
  return undefined
}

async function readKeys(path: string): Promise<OperatorKey[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  try {
    const { keys } = fileSchema.parse(JSON.parse(text))
    // an id that is not of its key would let one key pass under the name of another
    if (keys.every((key) => key.id === keyIdOf(key.public_key))) return keys
  } catch {
    // said below
  }
  throw new Fault('unavailable', 'key.file', `${path} is not a file of enrolled keys; nothing can be approved until it is mended or removed (then enrol the keys again)`)
}
