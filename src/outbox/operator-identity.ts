import { createCipheriv, createDecipheriv, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, scrypt, type KeyObject } from 'node:crypto'
import { link, mkdir, readFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { Fault } from '../kernel/fault.ts'
import { syncFolder, writeTemporary } from './durable-file.ts'
import { keyIdOf, signChallenge, enrolmentChallenge, type KeyScope } from './signature.ts'
import type { Enrolment } from './operator-keys.ts'

const derive = promisify<string, Buffer, number, object, Buffer>(scrypt)

/** 128 MiB and about half a second a guess (OWASP's recommendation for scrypt). */
const cost = { N: 2 ** 17, r: 8, p: 1 }

const sealedSchema = z.strictObject({
  kdf: z.literal('scrypt'), N: z.int().max(2 ** 20), r: z.int().max(32), p: z.int().max(16), salt: z.base64(),
  cipher: z.literal('aes-256-gcm'), iv: z.base64(), tag: z.base64(), text: z.base64(),
})
const fileSchema = z.strictObject({
  version: z.literal(1),
  name: z.string(),
  scope: z.enum(['operator', 'demonstration']),
  id: z.string(),
  public_key: z.string(),
  // PKCS8 DER in base64; in the open for the demonstration key only
  private_key: z.union([z.base64(), sealedSchema]),
})
type IdentityFile = z.infer<typeof fileSchema>

/** What the operator signs with. The private key never leaves this object. */
export interface OperatorIdentity {
  readonly id: string
  readonly name: string
  readonly scope: KeyScope
  readonly publicKey: string
  /** base64 */
  sign(challenge: Uint8Array): string
  /** The body of an enrolment, with its proof. */
  enrolment(): Enrolment
}

/**
 * Makes an Ed25519 key in the operator's folder, 0600, sealed by the passphrase. Only a demonstration key may go without one.
 * @throws Fault `identity.passphrase`, `identity.exists`, `identity.name`
 */
export async function createIdentity(folder: string, { name, scope, passphrase }: { name: string; scope: KeyScope; passphrase?: string | undefined }): Promise<OperatorIdentity> {
  if (scope === 'operator' && (passphrase === undefined || passphrase.length < 8)) {
    throw new Fault('invalid', 'identity.passphrase', 'a key that releases mail needs a passphrase of at least 8 characters')
  }
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const der = privateKey.export({ type: 'pkcs8', format: 'der' })
  const publicText = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const file: IdentityFile = {
    version: 1, name, scope, id: keyIdOf(publicText), public_key: publicText,
    private_key: passphrase === undefined ? der.toString('base64') : await seal(der, passphrase),
  }
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = pathOf(folder, name)
  const temporary = await writeTemporary(path, `${JSON.stringify(file, null, 2)}\n`)
  try {
    await link(temporary, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new Fault('conflict', 'identity.exists', `there is a key named ${name} already in ${folder}; choose another name`)
  } finally {
    await rm(temporary, { force: true })
  }
  await syncFolder(folder)
  return identityOf(file, privateKey)
}

/**
 * Opens a key of the operator's folder.
 * @throws Fault `identity.missing`, `identity.file`, `identity.passphrase`
 */
export async function loadIdentity(folder: string, name: string, passphrase?: string): Promise<OperatorIdentity> {
  const file = await readIdentity(folder, name)
  if (typeof file.private_key === 'string') return identityOf(file, privateKeyOf(Buffer.from(file.private_key, 'base64'), file))
  if (passphrase === undefined) throw new Fault('invalid', 'identity.passphrase', `key ${name} needs its passphrase`)
  return identityOf(file, privateKeyOf(await unseal(file.private_key, passphrase, name), file))
}

/** The keys in the operator's folder, without opening them. */
export async function listIdentities(folder: string): Promise<{ name: string; id: string; scope: KeyScope; sealed: boolean }[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const files = await Promise.all(
    names.filter((file) => file.endsWith(suffix)).sort().map((file) => readIdentity(folder, file.slice(0, -suffix.length))),
  )
  return files.map((file) => ({ name: file.name, id: file.id, scope: file.scope, sealed: typeof file.private_key !== 'string' }))
}

const suffix = '.key.json'

function pathOf(folder: string, name: string): string {
  if (!/^[a-z0-9][a-z0-9_-]{0,40}$/.test(name)) {
    throw new Fault('invalid', 'identity.name', `${JSON.stringify(name)} cannot name a key: use up to 41 of a-z, 0-9, - and _, beginning with a letter or digit`)
  }
  return join(folder, `${name}${suffix}`)
}

async function readIdentity(folder: string, name: string): Promise<IdentityFile> {
  const path = pathOf(folder, name)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new Fault('missing', 'identity.missing', `there is no key named ${name} in ${folder}`)
    throw error
  })
  try {
    return fileSchema.parse(JSON.parse(text))
  } catch (error) {
    throw new Fault('invalid', 'identity.file', `${path} is not a key file of Castellan`, {}, error)
  }
}

function privateKeyOf(der: Buffer, file: IdentityFile): KeyObject {
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const publicText = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64')
  if (publicText !== file.public_key) throw new Fault('invalid', 'identity.file', `the two halves of key ${file.name} do not belong together`)
  return key
}

function identityOf(file: Pick<IdentityFile, 'id' | 'name' | 'scope' | 'public_key'>, privateKey: KeyObject): OperatorIdentity {
  const { id, name, scope, public_key: publicKey } = file
  return {
    id, name, scope, publicKey,
    sign: (challenge) => signChallenge(privateKey, challenge),
    enrolment: () => ({ publicKey, scope, name, signature: signChallenge(privateKey, enrolmentChallenge(publicKey, scope, name)) }),
  }
}

async function seal(text: Buffer, passphrase: string): Promise<z.infer<typeof sealedSchema>> {
  const salt = randomBytes(16)
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', await stretch(passphrase, salt, cost), iv)
  const sealed = Buffer.concat([cipher.update(text), cipher.final()])
  return {
    kdf: 'scrypt', ...cost, salt: salt.toString('base64'),
    cipher: 'aes-256-gcm', iv: iv.toString('base64'), tag: cipher.getAuthTag().toString('base64'), text: sealed.toString('base64'),
  }
}

async function unseal(sealed: z.infer<typeof sealedSchema>, passphrase: string, name: string): Promise<Buffer> {
  const key = await stretch(passphrase, Buffer.from(sealed.salt, 'base64'), sealed)
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(sealed.iv, 'base64'), { authTagLength: 16 })
  decipher.setAuthTag(Buffer.from(sealed.tag, 'base64'))
  try {
    return Buffer.concat([decipher.update(Buffer.from(sealed.text, 'base64')), decipher.final()])
  } catch {
    throw new Fault('refused', 'identity.passphrase', `that is not the passphrase of key ${name}`)
  }
}

function stretch(passphrase: string, salt: Buffer, { N, r, p }: { N: number; r: number; p: number }): Promise<Buffer> {
  return derive(passphrase.normalize('NFKC'), salt, 32, { N, r, p, maxmem: 256 * N * r })
}
