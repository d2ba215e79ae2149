import { readdir, readFile } from 'node:fs/promises'

const everyMs = 100
const pageBytes = 4096

/**
 * Where the kernel does not count a family of processes as one: looks now and then how much memory they have together, and says when it is too
 * much. Between two looks they can have more; each of them is held to the limit by itself. @returns what ends it
 */
export function watchMemory(leader: number, bytes: number, tooMuch: () => void): () => void {
  let looking = false
  const timer = setInterval(async () => {
    if (looking) return
    looking = true
    try {
      if ((await memoryOf(leader)) > bytes) tooMuch()
    } finally {
      looking = false
    }
  }, everyMs)
  return () => clearInterval(timer)
}

/** What a process and its descendants have in memory that is not shared with others. */
async function memoryOf(leader: number): Promise<number> {
  const children = new Map<number, number[]>()
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
    // the name of a program stands in parentheses and may hold any of them
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    if (Number.isInteger(parent)) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  let bytes = 0
  const waiting = [leader]
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    const [, resident, shared] = (await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '0 0 0')).split(' ').map(Number)
    bytes += (resident! - shared!) * pageBytes
    waiting.push(...(children.get(pid) ?? []))
  }
  return bytes
}
