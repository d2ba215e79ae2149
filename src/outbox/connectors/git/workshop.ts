import { existsSync, lstatSync } from 'node:fs'
import { mkdir, opendir, realpath, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { Fault } from '../../../kernel/fault.ts'
import { pinAddress, type Lookup } from '../http/address.ts'
import { runGit, type GitResult } from './run-git.ts'

export interface WorkshopOptions {
  /** Of the releaser: everything here is its own. */
  readonly folder: string
  /** Where commits are made, by whoever: of it only the folder of objects is read, and never its configuration. */
  readonly repository: string
  /** An absolute path, or https. */
  readonly remote: string
  readonly login?: { readonly user: string; readonly password: string } | undefined
  readonly isPrivate: boolean
  /** PEM */
  readonly ca?: string | undefined
  readonly lookup?: Lookup | undefined
}

/** What receives a push on this machine runs as the releaser: no program that stands in the remote's own configuration, and no hook. */
const receiver = ['core.hooksPath=/dev/null', 'core.alternateRefsCommand=true', 'core.fsmonitor=false', 'receive.autogc=false', 'receive.denyCurrentBranch=refuse', 'gc.auto=0', 'maintenance.auto=false']
const receivePack = `git ${receiver.map((setting) => `-c ${setting}`).join(' ')} receive-pack`

const patience = { local: 30_000, look: 20_000, fetch: 45_000, push: 80_000 }

export interface Workshop {
  /** Brings a commit of the repository in, with all that it stands on and all of it verified. */
  takeIn(commit: string, draft: string, signal: AbortSignal): Promise<void>
  /** What a ref of the remote is at; nothing when it is not there. */
  look(ref: string, signal: AbortSignal): Promise<string | undefined>
  /** Brings a commit of the remote in. */
  fetch(commit: string, signal: AbortSignal): Promise<void>
  has(commit: string, signal: AbortSignal): Promise<boolean>
  git(args: readonly string[], signal: AbortSignal): Promise<GitResult>
  push(args: readonly string[], signal: AbortSignal): Promise<GitResult>
}

/**
 * A repository of the releaser's own, between the one in which agents commit and the remote. Objects come through a second one that
 * borrows the folder of objects of theirs: what git does is said by the releaser's configuration alone, whatever stands in theirs.
 */
export function createWorkshop({ folder, repository, remote, login, isPrivate, ca, lookup }: WorkshopOptions): Workshop {
  const [own, borrowed, configuration, authority] = ['own.git', 'borrowed.git', 'configuration', 'authority.pem'].map((name) => join(folder, name)) as [string, string, string, string]
  const isPath = remote.startsWith('/')
  let made: Promise<void> | undefined

  async function make(): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(configuration, [
      '[core]', '\thooksPath = /dev/null', '\tfsmonitor = false', '\tattributesFile = /dev/null', '[gc]', '\tauto = 0', '[maintenance]', '\tauto = false', '[transfer]', '\tfsckObjects = true', '[protocol]', '\tversion = 2',
      '[http]', '\tfollowRedirects = false', ...(ca === undefined ? [] : [`\tsslCAInfo = ${authority}`]), '[credential]', '\thelper =', '[uploadpack]', '\tallowAnySHA1InWant = true',
      // a bare origin on this machine belongs to another user than the releaser
      '[safe]', ...[borrowed, own, ...(isPath ? [remote] : [])].map((place) => `\tdirectory = ${JSON.stringify(place)}`), '',
    ].join('\n'), { mode: 0o600 })
    if (ca !== undefined) await writeFile(authority, ca, { mode: 0o600 })
    for (const place of [own, borrowed]) {
      if (!existsSync(join(place, 'HEAD'))) expectDone(await run(['init', '--quiet', '--bare', '--template=', place], { at: folder }), 'its own repository could not be made')
    }
  }

  function run(args: readonly string[], { at = own, protocols = ['file'], settings, milliseconds = patience.local, signal }: { at?: string; protocols?: readonly string[]; settings?: readonly (readonly [string, string])[]; milliseconds?: number; signal?: AbortSignal } = {}): Promise<GitResult> {
    return runGit(args, { folder: at, configuration, protocols, milliseconds, signal, ...(settings && { settings }) })
  }

  async function ready(): Promise<void> {
    await (made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    }))
  }

  /** To the remote: its name resolved once and held to it, its login where no other user sees it. */
  async function outside(args: readonly string[], milliseconds: number, signal: AbortSignal): Promise<GitResult> {
    await ready()
    if (isPath) return run(args, { milliseconds, signal })
    const url = new URL(remote)
    const port = url.port || (url.protocol === 'https:' ? '443' : '80')
    const address = await pinAddress(url.hostname, { isPrivate, lookup })
    const settings: [string, string][] = [['http.curloptResolve', `${url.hostname}:${port}:${address.includes(':') ? `[${address}]` : address}`], ['http.proxy', '']]
    if (login) settings.push(['http.extraHeader', `Authorization: Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`])
    return run(args, { protocols: [url.protocol.slice(0, -1)], settings, milliseconds, signal })
  }

  return {
    async takeIn(commit, draft, signal) {
      await ready()
      await writeFile(join(borrowed, 'objects', 'info', 'alternates'), `${await objectsOf(repository)}\n`, { mode: 0o600 }).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
        await mkdir(join(borrowed, 'objects', 'info'), { recursive: true })
        await writeFile(join(borrowed, 'objects', 'info', 'alternates'), `${await objectsOf(repository)}\n`, { mode: 0o600 })
      })
      const found = await run(['cat-file', '-t', commit], { at: borrowed, signal })
      if (found.stdout.toString().trim() !== 'commit') throw new Fault('missing', 'git.commit', `there is no commit ${commit} in ${repository}`)
      expectDone(await run(['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance', borrowed, `${commit}:refs/castellan/${draft}`], { milliseconds: patience.fetch, signal }), `the commit ${commit} is not whole, or holds what git refuses`)
    },
    async look(ref, signal) {
      const { code, stdout, stderr } = await outside(['ls-remote', '--quiet', remote, ref], patience.look, signal)
      if (code !== 0) throw new Fault('unavailable', 'git.unreachable', `${remote} does not answer: ${said(stderr)}`, { brief: `${remote} does not answer` })
      const line = stdout.toString('utf8').split('\n').find((one) => one.endsWith(`\t${ref}`))
      return line === undefined ? undefined : /^([0-9a-f]{40})\t/.exec(line)?.[1]
    },
    async fetch(commit, signal) {
      expectDone(await outside(['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance', remote, `${commit}:refs/castellan/remote/${commit}`], patience.fetch, signal), `what is at ${remote} could not be fetched to be compared`)
    },
    async has(commit, signal) {
      await ready()
      return (await run(['cat-file', '-e', `${commit}^{commit}`], { signal })).code === 0
    },
    async git(args, signal) {
      await ready()
      const result = await run(args, { signal })
      expectDone(result, `git ${args[0]} did not go well`)
      return result
    },
    push: (args, signal) => outside(['push', '--porcelain', '--no-verify', '--no-follow-tags', '--no-recurse-submodules', ...(isPath ? [`--receive-pack=${receivePack}`] : []), ...args.slice(0, -1), remote, args.at(-1)!], patience.push, signal),
  }
}

/** The folder of objects of a repository, in which nothing leads elsewhere: git would take objects from there, of whatever the releaser may read. @throws Fault `git.repository` */
async function objectsOf(repository: string): Promise<string> {
  const refused = (why: string, cause?: unknown) => new Fault('invalid', 'git.repository', `${repository} is no repository to push from: ${why}`, {}, cause)
  try {
    const root = await realpath(repository)
    const git = existsSync(join(root, '.git')) ? join(root, '.git') : root
    const objects = join(git, 'objects')
    if (!lstatSync(git).isDirectory() || !lstatSync(objects).isDirectory()) throw refused('its objects are elsewhere')
    const real = await realpath(objects)
    if (!real.startsWith(`${root}${sep}`)) throw refused('its objects are elsewhere')
    if (existsSync(join(real, 'info', 'alternates'))) throw refused('some of its objects are elsewhere (objects/info/alternates)')
    for await (const entry of await opendir(real, { recursive: true })) {
      if (entry.isSymbolicLink()) throw refused(`some of its objects are elsewhere (${entry.name} is a link)`)
    }
    // git reads a list of places, and a name could hold the next
    if (/[\n"]/.test(real)) throw refused('its path cannot be written down')
    return real
  } catch (error) {
    throw error instanceof Fault ? error : refused((error as Error).message, error)
  }
}

function expectDone({ code, stderr }: GitResult, what: string): void {
  if (code !== 0) throw new Fault('refused', 'git.failed', `${what}${code === null ? ': it took too long' : `: ${said(stderr)}`}`)
}

/** What git or the other side said, to be shown: on one line. */
export function said(stderr: string): string {
  return stderr.replace(/[^\p{L}\p{N}\p{P}\p{S}\p{Zs}]+/gu, ' ').trim().slice(0, 300).toWellFormed() || 'nothing was said'
}
