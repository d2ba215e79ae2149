export interface ShellCommand {
  /** The first is the absolute path of a program that castellan.yaml allows. */
  readonly argv: readonly string[]
  /** A declared folder, or a folder in one: `vault/projects`. */
  readonly cwd?: string | undefined
  /** Names of declared folders that the command may read. */
  readonly folders: readonly string[]
  readonly timeoutMs?: number | undefined
  readonly signal: AbortSignal
}

export interface ShellResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** Of the program that ran, in hex. */
  readonly sha256: string
}

/** Programs that the house allows, in the sandbox. What a command could have read raises the run's label. */
export interface Shell {
  run(command: ShellCommand): Promise<ShellResult>
}
