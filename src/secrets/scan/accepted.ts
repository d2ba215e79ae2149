import { createHmac, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'
import { z } from 'zod'
import { Fault } from '../../kernel/fault.ts'
import { rewriteFile } from '../private-file.ts'
import type { SecretFolder } from '../secret-folder.ts'

const schema = z.strictObject({
  version: z.literal(1),
  accepted: z.array(z.strictObject({ id: z.string().regex(/^[0-9a-f]{32}$/), file: z.string(), kind: z.string(), on: z.iso.date() })),
})
type Accepted = z.output<typeof schema>['accepted'][number]

/** Findings that the operator has looked at and keeps: test data, an example in a manual. */
export interface AcceptedFindings {
  /** Of a value in a file: elsewhere the same value is another finding. */
  idOf(file: string, value: string): string
  has(id: string): boolean
  add(found: readonly Omit<Accepted, 'on'>[], on: Date): void
}

const name = 'accepted-findings.json'

/**
 * In the house stand digests under a key that stays in the home: who reads the house, or its history, cannot try values against them.
 * @throws Fault `house.accepted` when the file cannot be read
 */
export function openAccepted(house: string, folder: SecretFolder): AcceptedFindings {
  const file = join(house, name)
  const key = keyOf(folder)
  let accepted = existsSync(file) ? read(file) : []
  // a house that is moved takes what was accepted along
  const inHouse = (path: string) => {
    const way = relative(house, path)
    return way.startsWith('..') || isAbsolute(way) || !isAbsolute(path) ? path : way
  }
  return {
    idOf: (path, value) => createHmac('sha256', key).update(`${inHouse(path)}\0`).update(value, 'latin1').digest('hex').slice(0, 32),
    has: (id) => accepted.some((one) => one.id === id),
    add(found, on) {
      const day = on.toISOString().slice(0, 10)
      accepted = [...accepted, ...found.map(({ id, file: where, kind }) => ({ id, file: inHouse(where), kind, on: day }))]
      const content = `${JSON.stringify({ version: 1, accepted }, undefined, 2)}\n`
      if (existsSync(file)) rewriteFile(file, content)
      else writeFileSync(file, content, { flag: 'wx', mode: 0o644 })
    },
  }
}

function read(file: string): Accepted[] {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8'))).accepted
  } catch {
    throw new Fault('invalid', 'house.accepted', `${file} cannot be read as accepted findings; mend it, or remove it and accept them again`)
  }
}

function keyOf(folder: SecretFolder): string {
  const known = folder.readOwn('.scan-key')
  if (known !== undefined) return known
  const made = randomBytes(32).toString('hex')
  folder.writeOwn('.scan-key', made)
  return made
}
