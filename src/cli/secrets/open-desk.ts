import { toFault } from '../../kernel/fault.ts'
import { parseDuration, type SecretSource } from '../../house/index.ts'
import { openRecords, openSecretFolder, runProgram, withoutCoreDumps, type RunProgram, type SecretFolder, type SecretRecords } from '../../secrets/index.ts'
import type { Invocation } from '../command/add-command.ts'

export interface PatienceOption {
  readonly patience?: string
}

/** What every command about secrets works with. */
export interface SecretDesk {
  readonly folder: SecretFolder
  readonly records: SecretRecords
  readonly run: RunProgram
  readonly env: NodeJS.ProcessEnv
  readonly clock: { now(): Date }
}

const patienceMs = 30_000

export function openDesk({ home, io, here, options }: Invocation<PatienceOption>): SecretDesk {
  withoutCoreDumps()
  const milliseconds = options.patience === undefined ? patienceMs : parseDuration(options.patience)
  const folder = openSecretFolder(home)
  return { folder, records: openRecords(folder), env: io.env, clock: { now: () => here.now }, run: (call) => runProgram(call, { env: io.env, milliseconds }) }
}

/** Asked before anything is fetched: while programs run, nobody could tell whose question it is. */
export async function askPassphrases(sources: readonly SecretSource[], { ask }: Pick<Invocation, 'ask'>): Promise<ReadonlyMap<string, string>> {
  const files = new Set(sources.flatMap((source) => (source.from === 'ansible-vault' && source.passwordFile === undefined ? [source.file] : [])))
  const typed = new Map<string, string>()
  for (const file of files) {
    try {
      typed.set(file, await ask.secret(`The password of ${file}`))
    } catch (error) {
      if (toFault(error).code !== 'ask.nobody') throw error // its source says what to do without
    }
  }
  return typed
}
