// Looks at the arguments and the environment of every process of this machine, over and over. stdin: {needles: {name: text}, programs: folder}, then its end says stop.
// stdout: {hits, seen}. Each process that was started out of `programs` is told that it was looked at: seen-PID.
import { createInterface } from 'node:readline'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const lines = createInterface({ input: process.stdin })
let stopped = false
lines.once('line', (line) => void watch(JSON.parse(line)))
lines.once('close', () => (stopped = true))

async function watch({ needles, programs }) {
  const hits = new Map()
  const seen = new Set()
  process.stdout.write('watching\n')
  // what runs when it is told to stop is looked at as well
  for (let isLast = false; !isLast; ) {
    isLast = stopped
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue
      for (const what of ['cmdline', 'environ']) {
        const text = read(`/proc/${pid}/${what}`)
        for (const [name, needle] of Object.entries(needles)) if (text.includes(needle)) hits.set(`${name} in ${what}`, text.slice(0, 200).replaceAll('\0', ' '))
        if (what === 'environ' && !seen.has(pid) && read(`/proc/${pid}/cmdline`).includes(programs)) {
          seen.add(pid)
          writeFileSync(join(programs, `seen-${pid}`), '')
        }
      }
    }
    if (!isLast) await new Promise((resolve) => setTimeout(resolve, 40))
  }
  process.stdout.write(`${JSON.stringify({ hits: Object.fromEntries(hits), seen: [...seen].map(Number) })}\n`)
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // it has ended
  }
}
