import { openPool } from '../src/kernel/http-pool.ts'
import { median, middle, type Figure } from './figure.ts'
import type { BusyHouse } from './web-house.ts'
import { runCount } from './web-rows.ts'

const mostMs = { usual: 20, drafts: 100 }
const askedPerRound = 30

/** What the pages of the dashboard ask first, over the server's port with a session, in a house of ten thousand runs. */
export async function measureDashboardApi(house: BusyHouse, rounds: number, onProgress: (line: string) => void): Promise<Figure[]> {
  const [run] = await house.call<{ id: string }[]>('server', 'GET', '/api/runs?limit=1')
  const [draft] = await house.call<{ id: string }[]>('server', 'GET', '/api/drafts?limit=1')
  const reads = [
    { name: '/api/today' }, { name: '/api/jobs' }, { name: '/api/jobs/NAME', path: '/api/jobs/job-07' }, { name: '/api/jobs/NAME/history', path: '/api/jobs/job-07/history' },
    { name: '/api/runs' }, { name: '/api/runs?state=dead' }, { name: '/api/runs/ID', path: `/api/runs/${run!.id}` },
    { name: '/api/drafts' }, { name: '/api/drafts/ID', path: `/api/drafts/${draft!.id}` },
    { name: '/api/drafts?state=waiting, 1,000 drafts', path: '/api/drafts?state=waiting&limit=1000', most: mostMs.drafts }, { name: '/api/house' },
  ]
  const figures: Figure[] = []
  for (const { name, path = name, most = mostMs.usual } of reads) {
    // a session may ask so often within a minute, and a page of its own has one of its own
    const { ask, close } = await signedIn(house)
    figures.push({ name: `${name}, ${runCount.toLocaleString('en')} runs`, unit: 'ms', ...middle(await times(rounds, () => ask(path))), target: { atMost: most } })
    await close()
  }
  onProgress('web: the reads of the dashboard were asked')
  return figures
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
    if (round > 0) medians.push(median(taken))
  }
  return medians
}

/** A browser that came in by a link of the terminal. */
async function signedIn(house: BusyHouse) {
  const { url } = await house.call<{ url: string }>('server', 'POST', '/api/signin/link')
  const { origin, hash } = new URL(url)
  const pool = openPool(origin, { connections: 1 })
  const signin = await pool.request({ path: '/api/signin', method: 'POST', headers: { origin, 'content-type': 'application/json' }, body: JSON.stringify({ code: hash.replace('#signin=', '') }) })
  const cookie = String(signin.headers['set-cookie']).split(';')[0]!
  await signin.body.dump()
  return {
    async ask(path: string): Promise<void> {
      const { statusCode, body } = await pool.request({ path, method: 'GET', headers: { cookie } })
      const answer = await body.json()
      if (statusCode !== 200) throw new Error(`${path}: ${JSON.stringify(answer)}`)
    },
    close: () => pool.close(),
  }
}
