import { readFileSync } from 'node:fs'
import { Fault } from '../kernel/fault.ts'
import type { ProcessName } from './boot.ts'
import { withoutNetwork } from './isolation.ts'

/** What a process sees of itself. */
export interface Walls {
  readonly uid: number
  /** /proc/self/net/route and /proc/self/net/ipv6_route; undefined where the kernel has none. */
  readonly routes: string | undefined
  readonly routes6: string | undefined
}

/** A process that a unit started looks at its walls before it is told anything: a unit that somebody edited must not cost them unnoticed. @throws Fault `walls.root`, `walls.network` */
export function checkWalls(name: ProcessName, walls: Walls = ownWalls()): void {
  if (walls.uid === 0) throw new Fault('refused', 'walls.root', `${name} was started as root; its unit has to name User=castellan-${name} (\`castellan service install\` writes it)`)
  if (withoutNetwork.has(name) && (leads(walls.routes, 1) || leads(walls.routes6, 0))) {
    throw new Fault('refused', 'walls.network', `${name} can reach a network; its unit has to say PrivateNetwork=yes (\`castellan service install\` writes it)`)
  }
}

/** Is there a way out? Each line is a route; that of the loopback interface leads nowhere. */
function leads(table: string | undefined, headings: number): boolean {
  return (table ?? '').split('\n').slice(headings).some((line) => line.trim() !== '' && !/(^|\s)lo\s*$/.test(line) && !/^lo\s/.test(line))
}

function ownWalls(): Walls {
  return { uid: process.getuid?.() ?? -1, routes: read('/proc/self/net/route'), routes6: read('/proc/self/net/ipv6_route') }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
