import { readdirSync, readFileSync } from 'node:fs'

/** What a process and all its descendants use. Linux only. */
export interface Usage {
  readonly processes: number
  /** Proportional set size, in bytes: memory that is shared counts once. */
  readonly pss: number
  /** User and system time so far, in seconds. */
  readonly cpu: number
}

const ticksPerSecond = 100 // USER_HZ, the unit of /proc/PID/stat on every Linux that Node runs on

/** Sums up the tree that begins at `root`. */
export function usageOf(root: number): Usage {
  const members = tree(root)
  return {
    processes: members.length,
    pss: sum(members.map((pid) => pssOf(pid))),
    cpu: sum(members.map((pid) => cpuOf(pid))),
  }
}

function tree(root: number): number[] {
  const children = Map.groupBy(
    readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number),
    (pid) => statOf(pid)?.parent ?? -1,
  )
  const found = [root]
  for (const pid of found) found.push(...(children.get(pid) ?? []))
  return found
}

/** Fields of /proc/PID/stat; the name in parentheses may hold anything, so they are counted from its end. */
function statOf(pid: number): { parent: number; ticks: number } | undefined {
  const text = read(`/proc/${pid}/stat`)
  if (text === undefined) return undefined
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }
}

function cpuOf(pid: number): number {
  return (statOf(pid)?.ticks ?? 0) / ticksPerSecond
}

function pssOf(pid: number): number {
  const text = read(`/proc/${pid}/smaps_rollup`)
  if (text === undefined && statOf(pid) !== undefined) {
    throw new Error(`cannot read the memory of process ${pid}; run the bench as the user who started the house, or as root`)
  }
  return Number(/^Pss:\s+(\d+) kB$/m.exec(text ?? '')?.[1] ?? 0) * 1_024
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
