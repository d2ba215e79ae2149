import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { promisify } from 'node:util'
import type { Label } from '../../src/labels/index.ts'
import { createSandbox, type Sandbox } from '../../src/sandbox/index.ts'
import { callTool } from '../../src/tools/index.ts'
import { createShell } from '../../src/tools/shell/create-shell.ts'
import { shellRun } from '../../src/tools/shell/run.ts'
import type { ToolContext } from '../../src/tools/tool-context.ts'
import type { TestDatabase } from './database.ts'
import { openTestRun } from './tool-run.ts'

export interface Battlefield {
  /** Of the test; everybody may enter it. */
  readonly base: string
  /** The folder that the house declares, and opens to the command for reading. */
  readonly vault: string
  readonly sandbox: Sandbox
  /** Runs a program text that the house allows as `shell.run` does in a job. What it wrote, and why it was ended, if it was. */
  inside(text: string, options?: { timeoutMs?: number; sandbox?: Sandbox }): Promise<{ output: string; ended?: string }>
  /** The same text, by the same interpreter, with nothing around it. */
  outside(text: string, env?: Record<string, string>): Promise<string>
}

/** A house with a declared folder and scripts that turn on it. */
export async function battlefield(database: TestDatabase): Promise<Battlefield> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'castellan-escape-')))
  after(() => rmSync(base, { recursive: true, force: true }))
  const [vault, house] = [join(base, 'house', 'vault'), join(base, 'house')]
  mkdirSync(vault, { recursive: true })
  for (const folder of [base, house, vault]) chmodSync(folder, 0o777)
  const sandbox = await createSandbox({ scratch: base })
  let scripts = 0

  function scriptOf(text: string): string {
    const path = join(house, `attack-${(scripts += 1)}.sh`)
    writeFileSync(path, `#!/bin/sh\n${text}\n`)
    chmodSync(path, 0o755)
    return path
  }

  return {
    base, vault, sandbox,
    async inside(text, { timeoutMs = 20_000, sandbox: other = sandbox } = {}) {
      const script = scriptOf(text)
      const here = await openTestRun(database)
      const labelOf = (): Label => ({ level: 1, integrity: 'untrusted', lanes: [] })
      const shell = createShell({
        sandbox: other, database: database.as('castellan_worker_private'), labelOf, ...here, allow: [script], rules: [],
        folders: [{ name: 'vault', path: vault, access: 'write', label: labelOf() }], places: { house, roots: [] },
      })
      const context = { ...here, shell, signal: new AbortController().signal, wasMadeWithoutModel: () => false } as Partial<ToolContext> as ToolContext
      try {
        const { output } = await callTool(shellRun, context, { argv: [script], folders: ['vault'], cwd: 'vault', timeoutMs })
        const { stdout, stderr } = output as { stdout: string; stderr: string }
        return { output: stdout + stderr }
      } catch (error) {
        return { output: '', ended: (error as { code: string }).code }
      }
    },
    async outside(text, env = {}) {
      const done = promisify(execFile)(scriptOf(text), { cwd: vault, env: { ...process.env, ...env }, timeout: 20_000 })
      const { stdout, stderr } = await done.catch((error: { stdout: string; stderr: string }) => error)
      return stdout + stderr
    },
  }
}

/** The processes on this machine whose list of arguments holds the word. */
export function processesWith(word: string): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word)
    } catch {
      return false
    }
  })
}
