import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

export interface ProgramState {
  op?: Record<string, { category?: string; fields: { label: string; value: string; section?: { id: string; label: string } }[] }>
  sops?: Record<string, unknown>
  keychain?: Record<string, string>
  vaultPassword?: string
  behaviour?: Record<string, 'fails' | 'hangs' | 'killed' | 'floods' | { says: string; code?: number }>
  /** What a program that fails prints. */
  loud?: string
  /** What a vault holds stands in its file the other way round, so that it is not found there. */
  backwards?: boolean
  /** Each call waits until somebody has looked at it: `seen-PID` in the folder. */
  watched?: boolean
}

export interface SecretPrograms {
  /** To be put first on a PATH. */
  readonly path: string
  state(): ProgramState
  set(state: ProgramState): void
  calls(): { name: string; args: string[]; pid: number; variables: string[] }[]
}

/** Programs that keep secrets, scripted with the command lines of the real ones; age is the real one behind such a script. */
export function secretPrograms(t: TestContext, initial: ProgramState = {}): SecretPrograms {
  const path = mkdtempSync(join(tmpdir(), 'castellan-programs-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  writeFileSync(join(path, 'program.mjs'), `#!${process.execPath}\n${readFileSync(join(import.meta.dirname, 'secret-program.js'), 'utf8')}`)
  chmodSync(join(path, 'program.mjs'), 0o755)
  for (const name of ['op', 'sops', 'security', 'ansible-vault', 'age']) symlinkSync(join(path, 'program.mjs'), join(path, name))
  const set = (state: ProgramState) => writeFileSync(join(path, 'state.json'), JSON.stringify(state))
  set(initial)
  return {
    path, set,
    state: () => JSON.parse(readFileSync(join(path, 'state.json'), 'utf8')) as ProgramState,
    calls: () => (existsSync(join(path, 'calls.jsonl')) ? readFileSync(join(path, 'calls.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line)) : []),
  }
}
