import { execFile } from 'node:child_process'
import { chmodSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Account } from './accounts.ts'
import { entry, nodeFlags, source } from './process-specs.ts'

/** Compiled code that all processes start from. Only `up` writes it: who could write it could change what the others do. */
export function compileCacheFolder(home: string): string {
  return join(home, 'cache')
}

/**
 * Compiles everything once after an installation or an update, so that seven processes need not do it seven times.
 * Node keeps one folder for each user in the cache; the users of the processes get links to ours.
 */
export async function prepareCompileCache(home: string, accounts: Iterable<Account> | undefined): Promise<void> {
  const folder = compileCacheFolder(home)
  const stamp = join(folder, 'stamp')
  const current = sourceStamp()
  if (read(stamp) === current) return
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { mode: 0o755 })
  await promisify(execFile)(process.execPath, [...nodeFlags(), entry, 'compile'], { env: { ...process.env, NODE_COMPILE_CACHE: folder } })
  if (accounts) share(folder, [...accounts])
  writeFileSync(stamp, current)
}

function share(folder: string, accounts: readonly Account[]): void {
  const suffix = `-${process.getuid!()}`
  for (const made of readdirSync(folder).filter((name) => name.endsWith(suffix))) {
    for (const file of readdirSync(join(folder, made))) chmodSync(join(folder, made, file), 0o644)
    chmodSync(join(folder, made), 0o755)
    for (const { uid } of accounts) symlinkSync(made, join(folder, `${made.slice(0, -suffix.length)}-${uid}`))
  }
}

/** Changes with every source file and with Node. */
function sourceStamp(): string {
  const files = globSync('src/**/*.ts', { cwd: source }).sort()
  return [process.version, ...files.map((file) => `${file} ${statSync(join(source, file)).mtimeMs}`)].join('\n')
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
