import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../outbox/durable-file.ts'

export interface SealingKey {
  readonly id: string
  readonly publicKey: KeyObject
  sign(head: Buffer): Buffer
}

/** The Ed25519 key that seals the audit: provided as a secret, or in the releaser's folder, 0600, where the first start makes it. */
export async function openSealingKey(folder: string, provided?: string): Promise<SealingKey> {
  const path = join(folder, 'sealing-key.pem')
  const pem = provided ?? await readFile(path, 'utf8').catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    const made = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    await replaceFile(path, made)
    return made
  })
  const privateKey = createPrivateKey(pem)
  const publicKey = createPublicKey(privateKey)
  const id = `seal:${createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('hex').slice(0, 16)}`
  return { id, publicKey, sign: (head) => sign(null, head, privateKey) }
}
