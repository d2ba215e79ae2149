import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { SecretSource } from '../../src/house/index.ts'
import { createManualClock } from '../../src/kernel/clock.ts'
import { openRecords, openSecretFolder, runProgram, type RunProgram } from '../../src/secrets/index.ts'
import { secretPrograms, type ProgramState } from './secret-programs.ts'

type Place = SecretSource extends infer S ? (S extends SecretSource ? Omit<S, 'name' | 'everyMs' | 'by' | 'form'> : never) : never

/** A source as a house declares it. */
export function secretSource(name: string, place: Place, more: Partial<Pick<SecretSource, 'by' | 'form' | 'everyMs'>> = {}): SecretSource {
  return { name, everyMs: 1000, by: 'typed', form: 'hex', ...place, ...more } as SecretSource
}

/** An item of 1Password with one field. */
export const opItem = (value: string, category = 'API_CREDENTIAL') => ({ category, fields: [{ label: 'credential', value }] })

/** A home with an empty folder of secrets, scripted programs before the real ones, and a clock that stands still. */
export function secretDesk(t: TestContext, state: ProgramState = {}, milliseconds = 20_000) {
  const home = mkdtempSync(join(tmpdir(), 'castellan-secrets-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const programs = secretPrograms(t, state)
  const folder = openSecretFolder(home)
  const records = openRecords(folder)
  const clock = createManualClock(new Date('2026-11-28T08:00:00Z'))
  const env: NodeJS.ProcessEnv = { PATH: `${programs.path}:/usr/bin:/bin`, HOME: home, OP_SESSION_me: 'its own', OPENAI_API_KEY: 'of somebody else' }
  const run: RunProgram = (call) => runProgram(call, { env, milliseconds })
  const write = (name: string, content: string, mode = 0o600) => {
    writeFileSync(join(home, name), content, { mode })
    chmodSync(join(home, name), mode)
    return join(home, name)
  }
  return { home, programs, folder, records, clock, write, deps: { folder, records, clock, env, run } }
}
