import { EventEmitter } from 'node:events'
import { pino } from 'pino'
import type { House } from '../src/house/index.ts'
import { createRunOpener } from '../src/jobs/index.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { checkSchema } from '../src/kernel/database/migrate.ts'
import { openPool } from '../src/kernel/http-pool.ts'
import { createDoctor, createLoopbackApp, createReadiness, createSessions, type ServerDeps } from '../src/server/index.ts'
import { castellanDatabase } from './castellan-database.ts'
import { benchDatabase } from './database.ts'
import { middle, type Figure } from './figure.ts'
import { fillHouse, runCount } from './web-rows.ts'

const mostMs = 20
const askedPerRound = 30

/** What the pages of the dashboard ask first, over HTTP with a session, under the server's role, in a house of ten thousand runs. */
export async function measureDashboardApi(rounds: number, onProgress: (line: string) => void): Promise<Figure[]> {
  const postgres = await benchDatabase()
  try {
    const { owner, as } = await castellanDatabase(await postgres.empty('web'))
    await fillHouse(owner)
    onProgress(`web: a house of ${runCount} runs is there`)
    const { ask, close } = await signedIn(as('castellan_server', 8))
    const [run] = (await ask('/api/runs?limit=1')) as { id: string }[]
    const [draft] = (await ask('/api/drafts?limit=1')) as { id: string }[]
    const paths = {
      '/api/today': '/api/today', '/api/jobs': '/api/jobs', '/api/house': '/api/house', '/api/runs': '/api/runs', '/api/drafts?state=waiting': '/api/drafts?state=waiting&limit=1000',
      '/api/drafts': '/api/drafts', '/api/drafts/ID': `/api/drafts/${draft!.id}`, '/api/runs/ID': `/api/runs/${run!.id}`, '/api/jobs/NAME': '/api/jobs/job-07', '/api/jobs/NAME/history': '/api/jobs/job-07/history', '/api/runs?state=dead': '/api/runs?state=dead',
    }
    const figures: Figure[] = []
    for (const [name, path] of Object.entries(paths)) figures.push({ name: `${name}, ${runCount.toLocaleString('en')} runs`, unit: 'ms', ...middle(await times(rounds, () => ask(path))), target: { atMost: mostMs } })
    await close()
    await owner.close()
    return figures
  } finally {
    await postgres.stop()
  }
}

/** Medians of the rounds; the first round does not count. */
async function times(rounds: number, ask: () => Promise<unknown>): Promise<number[]> {
  const medians: number[] = []
  for (let round = 0; round <= rounds; round += 1) {
    const taken: number[] = []
    for (let i = 0; i < askedPerRound; i += 1) {
      const started = performance.now()
      await ask()
      taken.push(performance.now() - started)
    }
    if (round > 0) medians.push(middle(taken).value)
  }
  return medians
}

/** The server's browser door on a free port, and a browser that is signed in to it. */
async function signedIn(database: ServerDeps['database']) {
  const log = pino({ level: 'silent' })
  const settings = { name: 'Bench', timezone: 'Europe/Berlin', models: { upstreams: [], routes: {} }, ports: { releaser: 7401 } }
  const house = { folder: '/house', settings } as unknown as House
  let origin = 'http://127.0.0.1:0'
  const sessions = createSessions({ database, clock: systemClock, origin: () => origin })
  const app = createLoopbackApp({
    database, log, sessions,
    clock: systemClock,
    readiness: createReadiness({ database, clock: systemClock, checkSchema, scheduler: { lastTick: () => new Date() } }),
    open: createRunOpener(database, () => {}),
    wake: () => {},
    house: () => house,
    gates: async () => [],
    isolation: { mode: 'demonstration', detail: 'a bench' },
    tools: { list: () => [], describe: () => { throw new Error('a bench has no tools') } },
    doctor: createDoctor([]),
    wakes: new EventEmitter(),
    stopping: new AbortController().signal,
    reload: async () => ({ fresh: true, digest: 'd', problems: [] }),
    origin: () => origin,
    pages: '/nowhere',
    mostRequests: Number.POSITIVE_INFINITY, // it asks more often than a page may
  })
  origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const code = new URL((await sessions.makeLink()).url).hash.replace('#signin=', '')
  const { token } = await sessions.signIn(code, 'bench')
  const cookie = `castellan_session_${new URL(origin).port}=${token}`
  const pool = openPool(origin, { connections: 1 })
  return {
    async ask(path: string): Promise<unknown> {
      const { statusCode, body } = await pool.request({ path, method: 'GET', headers: { cookie } })
      const answer = (await body.json()) as { data: unknown }
      if (statusCode !== 200) throw new Error(`${path}: ${JSON.stringify(answer)}`)
      return answer.data
    },
    async close() {
      await pool.close()
      await app.close()
      await database.close()
    },
  }
}
