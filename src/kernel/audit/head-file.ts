import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { Fault } from '../fault.ts'

/** The newest seal that this machine knows of, kept outside the database: who removes the end of the chain there does not reach it. */
export interface KnownHead {
  readonly batch: number
  /** Hexadecimal. */
  readonly head: string
}

/** @throws Fault `audit.head_file` when the file is there but says nothing that can be read */
export function readHeadFile(file: string): KnownHead | undefined {
  if (!existsSync(file)) return undefined
  try {
    const { batch, head } = JSON.parse(readFileSync(file, 'utf8')) as KnownHead
    if (Number.isSafeInteger(batch) && /^[0-9a-f]{64}$/.test(head)) return { batch, head }
  } catch {}
  throw new Fault('invalid', 'audit.head_file', `${file} cannot be read as the head of the audit; restore it from a backup, or move it away after \`castellan audit verify\` has found the chain whole`, { file })
}

/** Replaces the file in one step, on the disk before this returns. */
export function writeHeadFile(file: string, known: KnownHead): void {
  const next = `${file}.next`
  const descriptor = openSync(next, 'w', 0o600)
  try {
    writeSync(descriptor, `${JSON.stringify(known)}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(next, file)
  const folder = openSync(dirname(file), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
