import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { parseArgs } from 'node:util'
import { isMet, type Figure } from './figure.ts'
import { markdownTable, terminalTable } from './table.ts'

interface Bench {
  readonly summary: string
  readonly peers: boolean
  measure(rounds: number, onProgress: (line: string) => void): Promise<Figure[]>
}

const benches: Record<string, Bench> = {
  runs: {
    summary: 'durable one-step runs against DBOS Transact, the queue alone against pg-boss (about 2 minutes)',
    peers: true,
    measure: async (rounds, onProgress) => (await import('./runs.ts')).measureRuns(rounds, onProgress),
  },
  gate: {
    summary: 'model calls through our gate against Portkey, a bare proxy and none (about 5 minutes)',
    peers: true,
    measure: async (rounds, onProgress) => (await import('./gate.ts')).measureGate(rounds, onProgress),
  },
  house: {
    summary: 'how long a start takes, how much memory and processor an idle house uses (about 1 minute)',
    peers: false,
    measure: async (rounds, onProgress) => (await import('./house.ts')).measureHouse(rounds, onProgress),
  },
  mail: {
    summary: 'mirrors 10,000 messages and a mailbox of 200 MB from a Dovecot, and sends by SMTP (about 1 minute)',
    peers: false,
    measure: async (rounds, onProgress) => (await import('./mail.ts')).measureMail(rounds, onProgress),
  },
  redaction: {
    summary: 'what is found of what may not be handed on, what is taken for it, and how fast (seconds)',
    peers: false,
    measure: async (rounds, onProgress) => (await import('./redaction.ts')).measureRedaction(rounds, onProgress),
  },
  web: {
    summary: 'when both pages are painted, what they ask and load, and how soon a signed draft has left (about 2 minutes)',
    peers: false,
    measure: async (rounds, onProgress) => (await import('./web.ts')).measureWeb(rounds, onProgress),
  },
}

const { values: flags, positionals: [name] } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean' }, markdown: { type: 'boolean' }, rounds: { type: 'string', default: '5' }, help: { type: 'boolean' } },
})
const bench = name === undefined ? undefined : benches[name]
if (name === undefined || flags.help) {
  console.log('npm run bench -- NAME [--json | --markdown] [--rounds 5]\n')
  for (const [known, { summary }] of Object.entries(benches)) console.log(`  ${known.padEnd(9)} ${summary}`)
} else if (bench === undefined) {
  console.error(`there is no bench ${name}; there are: ${Object.keys(benches).join(', ')}`)
  process.exitCode = 2
} else {
  if (bench.peers) installPeers()
  const figures = await bench.measure(Number(flags.rounds), (line) => console.error(line))
  const machine = describeMachine()
  if (flags.json) console.log(JSON.stringify({ bench: name, machine, figures: figures.map((figure) => ({ ...figure, ok: isMet(figure) })) }, null, 2))
  else if (flags.markdown) console.log(`${machine}\n\n${markdownTable(figures)}`)
  else console.log(`${terminalTable(figures)}\n${machine}`)
  process.exitCode = figures.every(isMet) ? 0 : 1
}

function installPeers(): void {
  if (['@dbos-inc/dbos-sdk', '@portkey-ai/gateway'].every((peer) => existsSync(new URL(`node_modules/${peer}/package.json`, import.meta.url)))) return
  console.error('installing the peers into bench/node_modules …')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: import.meta.dirname, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status === 0) return
  console.error('the peers could not be installed; `npm ci` in bench/ shows why')
  process.exit(1)
}

function describeMachine(): string {
  const [first, ...others] = cpus()
  return `${new Date().toISOString().slice(0, 10)} · ${others.length + 1} × ${first?.model.trim() ?? 'unknown'} · ${Math.round(totalmem() / 2 ** 30)} GiB · ${type()} ${release()} · Node ${process.versions.node}`
}
