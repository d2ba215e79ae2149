import { readFileSync } from 'node:fs'
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '../kernel/ids.ts'

/** A control group of the kernel: what is in it shares one limit, however many processes it is. */
export interface MemoryGroup {
  /** A process that writes its number here is in it, with all that it starts. */
  readonly entrance: string
  /** Was something in it ended for want of memory? */
  isExhausted(): Promise<boolean>
  /** When nothing is in it any more. */
  close(): Promise<void>
}

interface Kind {
  readonly limit: string
  /** Set as well where it is there: memory that is swapped out counts too. */
  readonly swap: { readonly file: string; valueFor(bytes: number): number }
  readonly events: string
}

const kinds: Readonly<Record<'v1' | 'v2', Kind>> = {
  v1: { limit: 'memory.limit_in_bytes', swap: { file: 'memory.memsw.limit_in_bytes', valueFor: (bytes) => bytes }, events: 'memory.oom_control' },
  v2: { limit: 'memory.max', swap: { file: 'memory.swap.max', valueFor: () => 0 }, events: 'memory.events' },
}

export type OpenMemoryGroup = (bytes: number) => Promise<MemoryGroup>

/** How to make such groups, where this process may: as root, or where a service manager handed a part of the tree over. */
export async function findMemoryGroups(): Promise<OpenMemoryGroup | undefined> {
  for (const { kind, parent } of parents()) {
    const open: OpenMemoryGroup = (bytes) => openGroup(kinds[kind], parent, bytes)
    try {
      await (await open(64 * 1024 * 1024)).close()
      return open
    } catch {
      // not here: not allowed, read only, or a part of the tree that does not count memory
    }
  }
  return undefined
}

interface Parent {
  readonly kind: keyof typeof kinds
  readonly parent: string
}

function parents(): Parent[] {
  try {
    return readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n').flatMap((line): Parent[] => {
      const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
      if (path === undefined) return []
      if (controllers!.split(',').includes('memory')) return [{ kind: 'v1', parent: join('/sys/fs/cgroup/memory', path) }]
      // in the second version a group with processes in it has no groups that count: then its neighbour is tried
      return controllers === '' ? [path, dirname(path)].map((at) => ({ kind: 'v2', parent: join('/sys/fs/cgroup', at) })) : []
    })
  } catch {
    return []
  }
}

async function openGroup({ limit, swap, events }: Kind, parent: string, bytes: number): Promise<MemoryGroup> {
  const folder = join(parent, `castellan-${newId()}`)
  await mkdir(folder)
  try {
    await writeFile(join(folder, limit), String(bytes), { flag: 'r+' })
    await writeFile(join(folder, swap.file), String(swap.valueFor(bytes)), { flag: 'r+' }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  } catch (error) {
    await rmdir(folder).catch(() => undefined)
    throw error
  }
  return {
    entrance: join(folder, 'cgroup.procs'),
    isExhausted: async () => Number(/^oom_kill (\d+)$/m.exec(await readFile(join(folder, events), 'utf8'))?.[1] ?? 0) > 0,
    async close() {
      // the last process leaves a little after it was waited for; an empty group that stays holds nothing up
      for (let tries = 50; tries > 0 && !(await rmdir(folder).then(() => true, () => false)); tries -= 1) await sleep(20)
    },
  }
}
