/**
 * Named places where a test may kill the process: `run.claim:before`, `run.claim:after`, one pair around each commit.
 * The plan is `name=probability` pairs, `*` for every point: `CASTELLAN_FAULT_POINTS='*=0.01'`.
 * Without a plan this is a single comparison.
 */
let plan: ReadonlyMap<string, number> | undefined

/** Arms the fault points from `name=probability[,name=probability…]`; an empty or missing text disarms them. */
export function armFaultPoints(text: string | undefined): void {
  plan = text ? new Map(text.split(',').map(parseEntry)) : undefined
}

/** Dies at once, as `kill -9` would, when the plan says so. */
export function faultPoint(name: string): void {
  if (plan === undefined) return
  const probability = plan.get(name) ?? plan.get('*') ?? 0
  if (Math.random() < probability) {
    process.stderr.write(`fault point ${name}\n`)
    process.kill(process.pid, 'SIGKILL')
  }
}

function parseEntry(entry: string): [string, number] {
  const [name, probability] = entry.split('=')
  return [name!.trim(), Number(probability ?? 1)]
}
