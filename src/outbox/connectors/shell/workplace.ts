import { constants } from 'node:fs'
import { access, chmod, chown, copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../../../kernel/fault.ts'
import { newId } from '../../../kernel/ids.ts'
import { createSandbox, digestOfFile, type Sandbox, type SandboxFolder, type SandboxResult } from '../../../sandbox/index.ts'

export interface BoundProgram {
  readonly path: string
  readonly sha256: string
}

export interface WorkCommand {
  readonly argv: readonly string[]
  readonly programs: readonly BoundProgram[]
  readonly root: string
  /** A copy that stands for `root`: nobody else reaches it. */
  readonly from?: string
  readonly access: 'read' | 'write'
  /** Absolute. */
  readonly cwd: string
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** Where the releaser runs commands: in the sandbox, with exactly the programs that were signed, and one folder. */
export interface Workplace {
  run(command: WorkCommand): Promise<SandboxResult>
  /** Runs a program of the system of our own choice, e.g. to copy, where it reaches these folders and nothing else. */
  tool(argv: readonly string[], place: ToolPlace): Promise<SandboxResult>
  /** A folder of its own that is gone afterwards. */
  withFolder<T>(work: (folder: string) => Promise<T>): Promise<T>
  /** Takes such a folder to where it stays, also when the releaser is killed, until it is let go of or somebody has looked at it. */
  keep(folder: string, name: string): Promise<string>
  /** Where something is kept under that name, if it is. */
  kept(name: string): Promise<string | undefined>
  letGo(name: string): Promise<void>
  /** Where the copy of a program lies that is run. @throws Fault `shell.changed` */
  copyOf(program: BoundProgram): Promise<string>
  /** Has everything at hand that running them takes. @throws Fault `sandbox.unsafe` when commands cannot be run on this machine, `shell.changed` */
  ready(programs?: readonly BoundProgram[]): Promise<void>
}

export interface ToolPlace {
  readonly cwd: string
  readonly folders: readonly SandboxFolder[]
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** Bytes that a receipt gives the digest of; a command that says more is ended. */
const outputBytes = 1024 * 1024
const removeMs = 20_000
/** Of one file: as much as a folder that is worked on may hold, in one archive. */
const fileBytes = 1024 * 1024 * 1024
const staying: readonly string[] = ['programs', 'receipts', 'left']
/** As whom bubblewrap is started by root. */
const nobody = 65534

/** `folder` is this connector's, in the releaser's own. */
export function createWorkplace(folder: string, open: () => Promise<Sandbox> = () => createSandbox({ scratch: folder })): Workplace {
  let opened: Promise<Sandbox> | undefined

  async function sandbox(): Promise<Sandbox> {
    await makeFolder(folder)
    return await (opened ??= sweep(folder).then(open))
  }

  async function run({ argv, programs, root, from, access, cwd, timeoutMs, signal }: WorkCommand): Promise<SandboxResult> {
    const folders: SandboxFolder[] = [{ path: root, ...(from !== undefined && { from }), access }]
    for (const { path, sha256 } of programs) folders.push({ path, from: await stage(folder, path, sha256), access: 'read' })
    return await (await sandbox()).run({ argv, cwd, folders, limits: { timeoutMs, outputBytes, cpuSeconds: Math.ceil(timeoutMs / 1000) }, signal })
  }

  return {
    run,
    async tool(argv, { cwd, folders, timeoutMs, signal }) {
      return await (await sandbox()).run({ argv, cwd, folders, limits: { timeoutMs, fileBytes }, signal })
    },
    copyOf: async ({ path, sha256 }) => await stage(folder, path, sha256),
    async ready(programs = []) {
      const status = await (await sandbox()).status()
      if (!status.ok) throw new Fault('refused', 'sandbox.unsafe', `no command is run: ${status.reason}`)
      for (const { path, sha256 } of programs) await stage(folder, path, sha256)
    },
    async keep(own, name) {
      await makeFolder(join(folder, 'left'))
      await remove(join(folder, 'left', name))
      await rename(own, join(folder, 'left', name))
      return join(folder, 'left', name)
    },
    async kept(name) {
      const place = join(folder, 'left', name)
      return await access(place).then(() => place, () => undefined)
    },
    letGo: async (name) => await remove(join(folder, 'left', name)),
    async withFolder(work) {
      await makeFolder(folder)
      const own = join(folder, newId())
      await makeFolder(own)
      try {
        return await work(own)
      } finally {
        await remove(own)
      }
    },
  }

  async function remove(own: string): Promise<void> {
    await rm(own, { recursive: true, force: true }).catch(async () => {
      // what a command made may be closed to its owner; the sandbox opens nothing but what is in here
      await run({ argv: ['/usr/bin/chmod', '-R', 'u+rwX', '--', own], programs: [], root: own, access: 'write', cwd: own, timeoutMs: removeMs })
      await rm(own, { recursive: true, force: true })
    })
  }
}

/** Takes out what a releaser that was killed left of its trials. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) if (!staying.includes(name)) await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined)
}

/** Closed to everybody but who runs in it: a command as root runs as nobody. */
async function makeFolder(folder: string): Promise<void> {
  const isRoot = process.getuid?.() === 0
  await mkdir(folder, { recursive: true, mode: isRoot ? 0o711 : 0o700 })
  await chmod(folder, 0o700)
  if (isRoot) await chown(folder, nobody, nobody)
}

/** A copy of a program that nobody changes any more, of these very bytes. @throws Fault `shell.changed` */
async function stage(folder: string, path: string, sha256: string): Promise<string> {
  const programs = join(folder, 'programs')
  await mkdir(programs, { recursive: true, mode: 0o711 })
  const place = join(programs, sha256)
  if ((await digestOfFile(place).catch(() => '')) === sha256) return place
  const temporary = join(programs, newId())
  try {
    await copyFile(path, temporary, constants.COPYFILE_EXCL)
    await chmod(temporary, 0o555)
    if ((await digestOfFile(temporary)) !== sha256) throw new Fault('conflict', 'shell.changed', `${path} is not the program any more that was looked at; propose it again`)
    await rename(temporary, place)
    await forgetOthers(programs, sha256)
    return place
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Copies are kept while they are few. */
async function forgetOthers(programs: string, except: string): Promise<void> {
  const names = await readdir(programs)
  if (names.length <= 64) return
  for (const name of names) if (name !== except) await rm(join(programs, name), { force: true })
}
