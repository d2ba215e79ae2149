import { createHash } from 'node:crypto'
import { readFile, realpath } from 'node:fs/promises'
import { basename, isAbsolute } from 'node:path'
import { Fault } from '../../kernel/fault.ts'

/** Programs that start any other: allowing one would allow everything. A script that is itself allowed may name one in its first line. */
const launchers = new Set([
  'sh', 'bash', 'dash', 'zsh', 'fish', 'ksh', 'csh', 'tcsh', 'busybox', 'env', 'xargs', 'sudo', 'su', 'doas', 'ssh', 'nohup', 'setsid', 'timeout', 'nice', 'watch', 'script',
  'python', 'python3', 'perl', 'ruby', 'node', 'deno', 'bun', 'php', 'lua', 'awk', 'gawk', 'mawk', 'ld.so', 'bwrap', 'unshare', 'nsenter', 'setpriv', 'prlimit',
])

export interface Program {
  /** Without symbolic links. */
  readonly path: string
  readonly sha256: string
}

/** The program that a command names, if castellan.yaml allows it, by its true path. */
export async function findProgram(named: string | undefined, allow: readonly string[]): Promise<Program> {
  if (named === undefined || !isAbsolute(named) || named.includes('\0')) {
    throw new Fault('invalid', 'shell.argv', `a command begins with the absolute path of a program, not with ${JSON.stringify(named ?? '')}`)
  }
  const path = await realpath(named).catch(() => {
    throw new Fault('missing', 'shell.program', `there is no program ${named}`)
  })
  const allowed = await Promise.all(allow.map((one) => realpath(one).catch(() => undefined)))
  if (!allowed.includes(path)) {
    throw new Fault('refused', 'shell.not_allowed', `${named} is not among the programs of shell.allow in castellan.yaml: ${allow.join(', ') || 'none'}`)
  }
  if (isLauncher(path) || isLauncher(named)) {
    throw new Fault('refused', 'shell.launcher', `${named} starts any other program; allow a script of its own instead, which is then bound by its digest`)
  }
  return { path, sha256: await digestOf(path) }
}

export async function digestOf(path: string): Promise<string> {
  return createHash('sha256').update(await readFile(path)).digest('hex')
}

function isLauncher(path: string): boolean {
  const name = basename(path).toLowerCase()
  return launchers.has(name) || launchers.has(name.replace(/[-.\d]+$/, '')) || name.startsWith('ld-linux')
}
