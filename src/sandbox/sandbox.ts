/** A folder or a file that the command sees, under the same path as on the host. */
export interface SandboxFolder {
  readonly path: string
  /** What it sees there instead: a copy. */
  readonly from?: string | undefined
  readonly access: 'read' | 'write'
}

export interface HiddenPlace {
  readonly path: string
  readonly kind: 'file' | 'folder'
}

export interface SandboxLimits {
  readonly timeoutMs: number
  /** Bytes of each of stdout and stderr; more ends the command. */
  readonly outputBytes: number
  /** Of each process, and of all of them together. */
  readonly memoryBytes: number
  /** Of each process. */
  readonly cpuSeconds: number
  readonly fileBytes: number
  readonly openFiles: number
  readonly processes: number
}

export interface SandboxCommand {
  /** The first is an absolute path. Never shell text. */
  readonly argv: readonly string[]
  readonly cwd?: string | undefined
  readonly folders?: readonly SandboxFolder[] | undefined
  /** Inside of `folders`, what the command sees as empty. */
  readonly hidden?: readonly HiddenPlace[] | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly stdin?: Iterable<Uint8Array> | undefined
  /** The Unix socket of a proxy, to which HTTPS_PROXY leads inside; and what the command finds in the file `credentialFile`. Nothing else leads out. */
  readonly egress?: { readonly socket: string; readonly credential?: string | undefined } | undefined
  readonly limits?: Partial<SandboxLimits> | undefined
  readonly signal?: AbortSignal | undefined
}

export interface SandboxResult {
  /** 128 + signal when a signal ended it. */
  readonly exitCode: number
  readonly stdout: Buffer
  readonly stderr: Buffer
  readonly ended: 'exit' | 'signal' | 'timeout' | 'output' | 'memory'
}

/** Who sees that a family of processes keeps to its memory: the kernel, which counts it as one, or a look ten times a second. */
export type MemoryHeld = 'by the kernel' | 'by watching'

export type SandboxStatus = { readonly ok: true; readonly memory: MemoryHeld } | { readonly ok: false; readonly reason: string }

/** Runs a command without network, credentials, capabilities or the rest of the file system; or not at all. */
export interface Sandbox {
  /** What the canary found, at most some minutes ago. */
  status(): Promise<SandboxStatus>
  /** Throws a Fault `refused` when the canary could get out, or there is no sandbox. */
  run(command: SandboxCommand): Promise<SandboxResult>
}
