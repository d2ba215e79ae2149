import { randomBytes } from 'node:crypto'
import { Fault } from '../kernel/fault.ts'
import type { SecretForm } from '../house/index.ts'

const longest = 64 * 1024
const madeBytes = 32

/** What a source gave, as text that can be used. Whoever reads the rendered file trims it, so it is trimmed here. @throws Fault `secrets.value`, which says nothing of it */
export function toValue(bytes: Buffer | string, whose: string): string {
  const text = (typeof bytes === 'string' ? bytes : decode(bytes, whose)).trim()
  const wrong = text === '' ? 'is empty' : text.includes('\0') ? 'contains a null byte' : Buffer.byteLength(text) > longest ? `is longer than ${longest / 1024} KiB` : undefined
  if (wrong !== undefined) throw new Fault('invalid', 'secrets.value', `${whose} ${wrong}; put a text there`)
  return text
}

function decode(bytes: Buffer, whose: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Fault('invalid', 'secrets.value', `${whose} is not text; encode it, e.g. with base64`)
  }
}

/** 256 random bits. */
export function makeValue(form: SecretForm): string {
  const bytes = randomBytes(madeBytes)
  return form === 'whsec' ? `whsec_${bytes.toString('base64')}` : bytes.toString(form)
}
