import type { RunProgram } from '../run-program.ts'

/** Where one secret is at home: the file under `secrets/` is a copy of what stands there. */
export interface OpenSource {
  /** In words, for people. */
  readonly place: string
  read(): Promise<string>
  /** Replaces it; undefined where only its owner can. */
  readonly write?: ((value: string) => Promise<void>) | undefined
  /** How it is changed where we cannot. */
  readonly instead?: string | undefined
}

export interface SourceDeps {
  readonly run: RunProgram
  readonly env: NodeJS.ProcessEnv
  /** Typed by the operator, by the file that it opens. */
  readonly passphrases?: ReadonlyMap<string, string>
}
