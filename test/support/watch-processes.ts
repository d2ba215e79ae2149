import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'

export interface Watched {
  /** What was found where, e.g. `smtp as base64 in cmdline`, and in whose. */
  readonly hits: Record<string, string>
  /** Processes out of the folder of programs that were looked at while they ran. */
  readonly seen: number[]
}

/** Forms in which a value could stand somewhere: as it is, its beginning, encoded. */
export function formsOf(name: string, value: string): Record<string, string> {
  return {
    [name]: value, [`the beginning of ${name}`]: value.slice(0, 14), [`${name} as base64`]: Buffer.from(value).toString('base64').replace(/=+$/, ''),
    [`${name} as hex`]: Buffer.from(value).toString('hex'), [`${name} in a URL`]: encodeURIComponent(value),
  }
}

/** Watches all processes of this machine until it is stopped. What it looks for comes to it by standard input, so that it finds not itself. */
export async function watchProcesses(t: TestContext, needles: Record<string, string>, programs: string): Promise<{ stop(): Promise<Watched> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'watch-processes.js')], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })
  child.stdin.write(`${JSON.stringify({ needles, programs })}\n`)
  await once(lines, 'line')
  return {
    async stop() {
      child.stdin.end()
      const [line] = (await once(lines, 'line')) as [string]
      return JSON.parse(line) as Watched
    },
  }
}
