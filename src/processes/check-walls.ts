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
  /** /proc/self/status, which says what rights it has beyond those of its user. */
  readonly status: string
}

/** A process that a unit started looks at its walls before it is told anything: a unit that somebody edited must not cost them unnoticed. @throws Fault `walls.root`, `walls.rights`, `walls.network` */
export function checkWalls(name: ProcessName, walls: Walls = ownWalls()): void {
  if (walls.uid === 0) throw new Fault('refused', 'walls.root', `${name} was started as root; its unit has to name User=castellan-${name} (\`castellan service install\` writes it)`)
  const rights = ['CapPrm', 'CapEff', 'CapAmb'].find((set) => !/^0+$/.test(valueOf(walls.status, set)))
  if (rights !== undefined) throw new Fault('refused', 'walls.rights', `${name} has capabilities (${rights} ${valueOf(walls.status, rights)}); its unit has to say CapabilityBoundingSet= and AmbientCapabilities= with nothing behind (\`castellan service install\` writes it)`)
  if (valueOf(walls.status, 'NoNewPrivs') !== '1') throw new Fault('refused', 'walls.rights', `${name} could gain rights by starting a program that has them; its unit has to say NoNewPrivileges=yes (\`castellan service install\` writes it)`)
  if (withoutNetwork.has(name) && (leads(walls.routes, 1) || leads(walls.routes6, 0))) {
    throw new Fault('refused', 'walls.network', `${name} can reach a network; its unit has to say PrivateNetwork=yes (\`castellan service install\` writes it)`)
  }
}

/** Is there a way out? Each line is a route; that of the loopback interface leads nowhere. */
function leads(table: string | undefined, headings: number): boolean {
  return (table ?? '').split('\n').slice(headings).some((line) => line.trim() !== '' && !/(^|\s)lo\s*$/.test(line) && !/^lo\s/.test(line))
}

function valueOf(status: string, key: string): string {
  return new RegExp(`^${key}:\\s*(\\S+)`, 'm').exec(status)?.[1] ?? ''
}

function ownWalls(): Walls {
  return { uid: process.getuid?.() ?? -1, routes: read('/proc/self/net/route'), routes6: read('/proc/self/net/ipv6_route'), status: read('/proc/self/status') ?? '' }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
